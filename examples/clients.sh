#!/usr/bin/env bash
# Sends a picture to yolod as clients of DeepStack, DOODS and Roboflow send it. It needs curl.
#
#   examples/clients.sh http://127.0.0.1:8080 demo model/data/demo.jpg
#
# If the environment has YOLOD_KEY, each request has this API key in the place that its protocol has for it.
set -euo pipefail
url=$1 model=$2 picture=$3
key=${YOLOD_KEY:-}

echo 'DeepStack: boxes in whole pixels'
curl -sS --fail-with-body -F "image=@$picture" -F min_confidence=0.4 -F "api_key=$key" "$url/v1/vision/custom/$model"

echo
echo 'DOODS: boxes in fractions of the picture, confidences in percent'
{
  printf '{"detector_name": "%s", "detect": {"*": 40}, "data": "' "$model"
  base64 -w 0 "$picture"
  printf '"}'
} | curl -sS --fail-with-body -H "doods-auth-key: $key" -H 'Content-Type: application/json' --data-binary @- "$url/detect"

echo
echo 'Roboflow: the centre and the size of each box in pixels'
base64 -w 0 "$picture" | curl -sS --fail-with-body --data-binary @- "$url/$model/1?confidence=40&api_key=$key"
echo
