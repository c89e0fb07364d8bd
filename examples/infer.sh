#!/usr/bin/env bash
# Sends a picture to a model with curl: by the Open Inference Protocol, and by yolod's own route.
#
# usage: examples/infer.sh URL MODEL PICTURE, such as examples/infer.sh http://127.0.0.1:8080 traffic-lights photo.jpg
set -euo pipefail

[ $# -eq 3 ] || {
  sed -n 's/^# usage: /usage: /p' "$0" >&2
  exit 2
}
url=$1 model=$2 picture=$3
infer=$url/v2/models/$model/infer
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ask=(curl --silent --show-error --fail-with-body)

echo "the picture as base64 in JSON, and the answer as JSON:"
{
  printf '{"id": "1", "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["'
  base64 -w0 "$picture"
  printf '"]}]}'
} >"$folder/request.json"
"${ask[@]}" --data-binary "@$folder/request.json" "$infer"
echo

echo "the picture itself, and the answer as JSON followed by bytes:"
"${ask[@]}" --data-binary "@$picture" --header 'Inference-Header-Content-Length: 0' \
  --dump-header "$folder/head" --output "$folder/answer" "$infer"
json_bytes=$(sed -n 's/\r$//; s/^Inference-Header-Content-Length: //p' "$folder/head")
head --bytes="$json_bytes" "$folder/answer"
echo
echo "$(($(stat --format=%s "$folder/answer") - json_bytes)) bytes follow the JSON"

echo "yolod's own route:"
"${ask[@]}" --data-binary "@$picture" "$url/predict?model=$model"
echo
