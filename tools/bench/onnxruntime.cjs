// ONNX Runtime on a model, for comparing with yolodctl infer and yolodctl bench model.
//
//   node onnxruntime.cjs infer MODEL.onnx INPUT.npy OUTPUT.npy
//   node onnxruntime.cjs bench MODEL.onnx THREADS SECONDS
//
// infer runs the model on a float32 array and writes its first output. bench prints the mean milliseconds of a pass
// over at least that many seconds, after three passes that do not count. tools/bench/install_onnxruntime installs the
// runtime.
'use strict';
const fs = require('fs');
const path = require('path');

const folder = path.join(__dirname, '..', '..', 'build', 'onnxruntime', 'node_modules', 'onnxruntime-node');
if (!fs.existsSync(folder)) {
  console.error('ONNX Runtime is not installed: run tools/bench/install_onnxruntime');
  process.exit(2);
}
const ort = require(folder);

// NumPy's format, version 1: magic, version, header length, a Python dictionary, the values.
function readNpy(file) {
  const bytes = fs.readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  if (!header.includes("'<f4'") || !header.includes("'fortran_order': False")) throw new Error(`${file}: not float32`);
  const shape = header.match(/'shape': \(([^)]*)\)/)[1].split(',').filter((side) => side.trim()).map(Number);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  return {shape, values};
}

function writeNpy(file, shape, values) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  header += ' '.repeat(63 - (10 + header.length) % 64) + '\n';
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 0xff, header.length >> 8]);
  fs.writeFileSync(file, Buffer.concat([start, Buffer.from(header, 'latin1'), Buffer.from(values.buffer)]));
}

async function infer(model, inputFile, outputFile) {
  const session = await ort.InferenceSession.create(model);
  const input = readNpy(inputFile);
  if (input.shape.length === 3) input.shape.unshift(1);
  const result = await session.run({[session.inputNames[0]]: new ort.Tensor('float32', input.values, input.shape)});
  const output = result[session.outputNames[0]];
  writeNpy(outputFile, output.dims, output.data);
}

async function bench(model, threads, seconds) {
  const session = await ort.InferenceSession.create(
      model, {intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionMode: 'sequential'});
  const shape = session.inputMetadata[0].shape;
  const values = new Float32Array(shape.reduce((a, b) => a * b)).map(() => Math.random());
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', values, shape)};
  for (let i = 0; i < 3; ++i) await session.run(feeds);
  const start = process.hrtime.bigint();
  const elapsed = () => Number(process.hrtime.bigint() - start) / 1e6;
  let passes = 0;
  do {
    await session.run(feeds);
    ++passes;
  } while (elapsed() < 1000 * Number(seconds));
  console.log((elapsed() / passes).toFixed(4));
}

const [what, ...rest] = process.argv.slice(2);
const run = {infer, bench}[what];
if (!run || rest.length !== run.length) {
  console.error('usage: onnxruntime.cjs infer MODEL.onnx INPUT.npy OUTPUT.npy | bench MODEL.onnx THREADS SECONDS');
  process.exit(2);
}
run(...rest).catch((error) => {
  console.error(`onnxruntime: ${String(error.message).split('\n')[0]}`);
  process.exit(1);
});
