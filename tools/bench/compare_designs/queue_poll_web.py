"""The web process of the queue-and-poll design. It pushes each request to a list in Redis and polls for its answer
with pauses, as in "A scalable Keras + deep learning REST API" (pyimagesearch.com, January 2018). The defaults of
designs.py are the settings of that article. gunicorn runs it; each worker and thread handles one request at a time.

The settings are environment variables: REDIS_SOCKET, CLIENT_SLEEP (seconds), QUEUED (pixels: the web process decodes
and resizes, as in the article; jpeg: it forwards the body), INPUT_SIZE (HEIGHTxWIDTH), SAMPLING."""
from __future__ import annotations

import base64
import json
import os
import time
import uuid

import cv2
import flask
import redis

from compare_designs.queue_poll_model import IMAGE_QUEUE
from compare_designs.preparer import Preparer


def create_app() -> flask.Flask:
    cv2.setNumThreads(0)
    app = flask.Flask(__name__)
    store = redis.Redis(unix_socket_path=os.environ["REDIS_SOCKET"])
    pause = float(os.environ["CLIENT_SLEEP"])
    sends_pixels = os.environ["QUEUED"] == "pixels"
    height, width = map(int, os.environ["INPUT_SIZE"].split("x"))
    preparer = Preparer(height, width, os.environ["SAMPLING"])

    @app.post("/predict")
    def predict():
        body = flask.request.get_data()
        job = {"id": str(uuid.uuid4())}
        if sends_pixels:
            picture = preparer.prepare(body)
            job.update(width=picture.width, height=picture.height)
            body = picture.pixels.tobytes()
        job["image"] = base64.b64encode(body).decode("ascii")
        store.rpush(IMAGE_QUEUE, json.dumps(job))
        while True:
            answered = store.get(job["id"])
            if answered is not None:
                store.delete(job["id"])
                return flask.Response(answered, mimetype="application/json")
            time.sleep(pause)

    return app
