// Compares /openapi.json with live servers: every documented path, method and status is asked for, and each answer has the
// documented type, headers and body. Objects with members that are not documented are errors here.
//
// usage: openapi.mjs FOLDER-OF-THE-PROGRAMS [without-torch]
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

import { runEach, Server, skip, until } from './server.mjs';

const libraries = await Promise.all([import('@seriousme/openapi-schema-validator'), import('ajv/dist/2020.js')]).catch(() => null);
if (!libraries) skip('ajv and its OpenAPI validator are not installed (npm ci --prefix tests/browser)');
const [{Validator}, {default: {default: Ajv}}] = libraries;

const programs = process.argv[2];
const hasTorch = process.argv[3] !== 'without-torch';  // otherwise identity models answer for the networks
const source = join(import.meta.dirname, '../..');
const kPassword = 'tree lamp river 9';
const kRegion = `yolod-openapi-${process.pid}`;
const kBoundary = 'xx';
const kForm = {'Content-Type': `multipart/form-data; boundary=${kBoundary}`};
const kJson = {'Content-Type': 'application/json'};
const photo = readFileSync(join(source, 'model/data/demo.jpg'));
const demo = join(source, 'model/data/demo');

// ---- the servers ----

// A classifier and a network that makes pictures, from Debian's python3-torch.
function networksIn(folder) {
  const made = spawnSync('/usr/bin/python3', ['-W', 'ignore', join(source, 'tests/support/make_torchscript.py'), folder, 'tiny_probabilities', 'doubler']);
  if (made.status === 0) return true;
  console.log('note: without python3-torch no classifier and no network that makes pictures is asked');
  return false;
}

let hasNetworks = false;
const main = new Server(programs, folder => {
  hasNetworks = hasTorch && networksIn(folder);
  return `
server: {listen: ["127.0.0.1:0"], state_dir: ${folder}/state, max_body_bytes: 512KiB}
access: {mode: keys, register: open}
oip: {shared_memory: [${kRegion}]}
${hasNetworks ? 'deepstack: {aliases: {scene: classes, enhance: pictures}}' : ''}
models:
  - name: demo
    workers: 1
    detect: {annotate: true}
    ${hasTorch ? `darknet: {cfg: ${demo}.cfg, weights: ${demo}.weights, names: ${demo}.names}` : 'identity: {}'}
  - {name: echo, workers: 1, identity: {}}
  - {name: spare, workers: 1, identity: {}}
  - {name: faulty, workers: 1, identity: {faults: true}}
  - {name: slow, workers: 1, batch: {max_size: 1}, identity: {delay: 500ms}}
` + (hasNetworks ? `
  - {name: classes, workers: 1, task: classify, torchscript: {file: ${folder}/tiny_probabilities.pt}}
  - {name: pictures, workers: 1, task: image, input_size: 16, torchscript: {file: ${folder}/doubler.pt}}
` : '');
});
// It has no accounts, and its model takes long to load.
const loading = new Server(programs, () => `
server: {listen: ["127.0.0.1:0"]}
models: [{name: echo, workers: 1, identity: {load_delay: 100s}}]
`);

const bases = new Map([[main, await main.address()], [loading, await loading.address()]]);

function ask(server, method, path, {headers = {}, body, operator = false} = {}) {
  const address = operator ? {socketPath: join(server.folder, 'admin.sock')}
                           : {host: '127.0.0.1', port: new URL(bases.get(server)).port};
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const length = bytes ? {'Content-Length': bytes.length} : {};
  return new Promise((resolve, reject) => {
    const request = http.request({...address, method, path, headers: {...length, ...headers}, agent: false}, response => {
      const pieces = [];
      response.on('data', piece => pieces.push(piece));
      response.on('end', () => resolve({status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces)}));
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({status: response.statusCode, headers: response.headers, body: Buffer.alloc(0)});
    });
    request.on('error', reject);
    request.end(bytes);
  });
}

// ---- the document ----

const served = await ask(main, 'GET', '/openapi.json');
assert.ok(served.body.equals(readFileSync(join(source, 'docs/openapi.json'))), 'the server has another docs/openapi.json');
const document = JSON.parse(served.body);

// Returns the value that a JSON pointer such as #/components/schemas/Error names.
const at = pointer => pointer.slice(2).split('/').reduce((value, key) => value[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
const resolved = value => value && value.$ref ? at(value.$ref) : value;

function lint(validity) {
  assert.ok(validity.valid, JSON.stringify(validity.errors, null, 1));
  const references = new Set();
  JSON.stringify(document, (key, value) => {
    if (key === '$ref') references.add(value);
    return value;
  });
  for (const reference of references) assert.ok(at(reference) !== undefined, reference);
  for (const kind of ['schemas', 'responses', 'parameters']) {
    for (const name of Object.keys(document.components[kind])) {
      assert.ok(references.has(`#/components/${kind}/${name}`), `${kind}/${name} is not used`);
    }
  }
  const ids = new Set();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method} ${path}`;
      assert.ok(operation.summary && operation.responses.default, name);
      assert.ok(!ids.has(operation.operationId), name + ' has the operationId of another');
      ids.add(operation.operationId);
      const declared = (operation.parameters || []).map(resolved).filter(one => one.in === 'path').map(one => one.name);
      assert.deepEqual(declared.sort(), [...path.matchAll(/\{(\w+)\}/g)].map(one => one[1]).sort(), name);
    }
  }
}

// Forbids members that the document does not name.
function close(value) {
  if (Array.isArray(value)) return value.map(close);
  if (value === null || typeof value !== 'object') return value;
  const closed = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, close(member)]));
  if (value.type === 'object' && value.properties && !value.additionalProperties) closed.additionalProperties = false;
  return closed;
}

const ajv = new Ajv({strict: false, allErrors: true});
ajv.addSchema(close(document), 'openapi');
const escaped = key => key.replaceAll('~', '~0').replaceAll('/', '~1');
const validators = new Map();
function validatorOf(pointer) {
  if (!validators.has(pointer)) validators.set(pointer, ajv.compile({$ref: 'openapi' + pointer}));
  return validators.get(pointer);
}

// ---- asking ----

const reached = new Set();

// Asks, and compares the answer with the document. `path` is the path of the document; `options.at` replaces its captures.
async function walk(status, method, path, options = {}) {
  const {at: target = path, server = main} = options;
  const name = `${method} ${target} ${status}`;
  const answer = await ask(server, method, target, options);
  assert.equal(answer.status, status, `${name}: ${answer.status} ${answer.body.toString('latin1').slice(0, 300)}`);
  const responses = document.paths[path][method.toLowerCase()].responses;
  const isDocumented = String(status) in responses;
  const key = isDocumented ? String(status) : 'default';
  let pointer = `#/paths/${escaped(path)}/${method.toLowerCase()}/responses/${key}`;
  if (responses[key].$ref) pointer = responses[key].$ref;
  const response = at(pointer);
  for (const [header, rule] of Object.entries(response.headers || {})) {
    if (rule.required) assert.ok(answer.headers[header.toLowerCase()] !== undefined, `${name} has no ${header}`);
  }
  assert.match(answer.headers['x-request-id'], /^[\w.-]+$/);
  if (!response.content) {
    assert.equal(answer.body.length, 0, name);
  } else {
    const type = (answer.headers['content-type'] || '').split(';')[0];
    assert.ok(type in response.content, `${name}: the type ${type} is not documented`);
    if (type === 'application/json') {
      const validate = validatorOf(`${pointer}/content/${escaped(type)}/schema`);
      assert.ok(validate(JSON.parse(answer.body)), `${name}: ${answer.body.toString().slice(0, 500)}\n${JSON.stringify(validate.errors, null, 1)}`);
    }
  }
  if (isDocumented) reached.add(`${method} ${path} ${status}`);
  return answer;
}

const json = answer => JSON.parse(answer.body);
const part = (name, content, more = '') => Buffer.concat(
    [Buffer.from(`--${kBoundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]);
const form = (...parts) => Buffer.concat([...parts, Buffer.from(`--${kBoundary}--\r\n`)]);
const picture = content => part('image', content, '; filename="a.jpg"');

async function newKey(fields) {
  const answer = await ask(main, 'POST', '/api/keys', {operator: true, headers: kJson, body: fields});
  assert.equal(answer.status, 201, answer.body.toString());
  return {'X-API-Key': json(answer).key};
}

async function newSession(name) {
  await ask(main, 'POST', '/api/register', {headers: kJson, body: {name, password: kPassword}});
  const answer = await ask(main, 'POST', '/api/login', {headers: kJson, body: {name, password: kPassword}});
  assert.equal(answer.status, 200, answer.body.toString());
  const cookie = answer.headers['set-cookie'][0].split(';')[0];
  return {Cookie: cookie, 'Sec-Fetch-Site': 'same-origin', 'X-CSRF-Token': json(answer).csrf_token, ...kJson};
}

const tests = {};

tests['predictions'] = async () => {
  const headers = await newKey({name: 'predict'});
  const path = '/predict';
  const post = (status, query, options = {}) =>
      walk(status, 'POST', path, {at: path + query, body: photo, ...options, headers: {...headers, ...options.headers}});
  const base64 = photo.toString('base64');
  const several = json(await post(200, '?confidence=0.1', {headers: kForm, body: form(picture(photo), picture('no picture'), picture(photo))}));
  assert.equal(several.answers.length, 3);
  const texts = json(await post(200, '', {headers: kJson, body: {images: [base64, 'data:image/jpeg;base64,' + base64, '?'], confidence: 0.1}}));
  assert.deepEqual(texts.answers.map(answer => answer.success), [true, true, false]);
  if (hasTorch) {
    const one = json(await post(200, '?confidence=0.1'));
    assert.ok(one.predictions.length > 0);
    const picked = json(await post(200, '', {headers: kForm, body: form(picture(photo), part('max_detections', '1'), part('confidence', '0.1'))}));
    assert.deepEqual(picked.predictions, one.predictions.slice(0, 1));
    assert.deepEqual(several.answers.map(answer => answer.success), [true, false, true]);
    assert.deepEqual(several.answers[2].predictions, one.predictions);
    assert.deepEqual(texts.answers.slice(0, 2).map(answer => answer.predictions), [one.predictions, one.predictions]);
    const drawn = await post(200, '', {headers: {Accept: 'image/png'}});
    assert.equal(drawn.headers['content-type'], 'image/png');
    assert.equal((await post(200, '?annotate=1')).headers['content-type'], 'image/jpeg');
    await post(400, '', {headers: kForm, body: form(picture('a'), picture('b'))});
  }
  await post(200, '?model=echo');
  if (hasNetworks) await post(200, '?model=classes&top_k=2');
  await post(400, '?nonsense=1');
  await post(400, '', {headers: kJson, body: {images: ['?', '?']}});
  await walk(401, 'POST', path, {body: photo});
  await post(403, '', {headers: await newKey({name: 'models', scopes: ['models']})});
  await post(404, '?model=unknown');
  await post(413, '', {body: Buffer.alloc(600 * 1024)});
  await post(415, '', {headers: {'Content-Encoding': 'br'}});
  await post(500, '?model=faulty', {body: 'FAULT:segv'});
  await post(422, '?model=faulty', {body: 'FAULT:segv'});
  await post(422, '?model=faulty', {headers: kForm, body: form(picture('FAULT:segv'), picture('FAULT:segv'))});
  await post(504, '?model=slow', {headers: {'X-Request-Timeout': '1'}});
  const limited = await newKey({name: 'limited', rate: 1});
  await post(200, '?model=echo', {headers: limited});
  await post(429, '?model=echo', {headers: limited});
  await walk(503, 'POST', path, {server: loading, body: photo});

  const put = (status, query, more = {}) =>
      walk(status, 'PUT', '/image', {at: '/image' + query, body: photo, headers: {...headers, ...more}});
  if (hasNetworks) {
    assert.equal((await put(200, '?model=pictures')).headers['content-type'], 'image/jpeg');
    assert.equal((await put(200, '?model=pictures', {Accept: 'image/png'})).headers['content-type'], 'image/png');
  }
  await put(400, '?model=demo');
  await put(404, '?model=unknown');
  await walk(401, 'PUT', '/image', {body: photo});
};

tests['a long list is compressed'] = async () => {
  const headers = {...await newKey({name: 'gzip'}), 'Accept-Encoding': 'gzip', ...kForm};
  const pictures = Array.from({length: 60}, () => picture('x'));
  const answer = await ask(main, 'POST', '/predict?model=echo', {headers, body: form(...pictures)});
  assert.equal(answer.headers['content-encoding'], 'gzip');
  const {gunzipSync} = await import('node:zlib');
  assert.equal(JSON.parse(gunzipSync(answer.body)).answers.length, 60);
};

tests['pages and state'] = async () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    if (!methods.get || !('304' in methods.get.responses)) continue;
    const {headers} = await walk(200, 'GET', path);
    await walk(304, 'GET', path, {headers: {'If-None-Match': headers.etag}});
  }
  await walk(200, 'GET', '/healthz');
  await walk(200, 'GET', '/readyz');
  await walk(503, 'GET', '/readyz', {server: loading});
  const user = await newKey({name: 'user'});
  for (const path of ['/status', '/metrics']) {
    await walk(200, 'GET', path, {headers: await newKey({name: 'observer', scopes: ['admin']})});
    await walk(200, 'GET', path, {operator: true});
    await walk(401, 'GET', path);
    await walk(403, 'GET', path, {headers: user});
  }
  await walk(200, 'GET', '/status', {server: loading});
  await walk(403, 'POST', '/reload');
  await walk(400, 'POST', '/reload', {operator: true, at: '/reload?nonsense=1'});
  await walk(404, 'POST', '/reload', {operator: true, at: '/reload?model=unknown'});
  await walk(200, 'POST', '/reload', {operator: true, at: '/reload?model=spare'});
};

tests['accounts'] = async () => {
  const post = (status, path, body, headers = {}, more = {}) => walk(status, 'POST', path, {headers: {...kJson, ...headers}, body, ...more});
  const anna = {name: 'anna', password: kPassword};
  await post(201, '/api/register', anna);
  await post(400, '/api/register', {name: 'bert', password: 'short'});
  await post(403, '/api/register', {name: 'carl', password: kPassword}, {'Sec-Fetch-Site': 'cross-site'});
  await post(409, '/api/register', anna);
  await post(200, '/api/login', anna);
  await post(400, '/api/login', {name: 'anna'});
  await post(401, '/api/login', {...anna, password: 'another password 1'});
  for (const path of ['/api/register', '/api/login']) await post(404, path, anna, {}, {server: loading});

  const session = await newSession('anna');
  const {'X-CSRF-Token': token, ...withoutToken} = session;
  await walk(200, 'GET', '/api/me', {headers: session});
  await walk(200, 'GET', '/api/me', {headers: await newKey({name: 'key'})});
  await walk(401, 'GET', '/api/me');

  const passwords = {old_password: kPassword, new_password: 'cloud desk apple 4'};
  await post(400, '/api/password', {old_password: kPassword}, session);
  await post(401, '/api/password', passwords);
  await post(403, '/api/password', {...passwords, old_password: 'wrong password 12'}, session);
  await post(200, '/api/password', passwords, session);

  const created = json(await post(201, '/api/keys', {name: 'mine', scopes: ['predict']}, session));
  await post(400, '/api/keys', {}, session);
  await post(401, '/api/keys', {name: 'mine'});
  await post(403, '/api/keys', {name: 'mine'}, withoutToken);
  assert.equal(json(await walk(200, 'GET', '/api/keys', {headers: session})).keys.length, 1);
  await walk(200, 'GET', '/api/keys', {operator: true, at: '/api/keys?all=1'});
  await walk(400, 'GET', '/api/keys', {headers: session, at: '/api/keys?after=x'});
  await walk(401, 'GET', '/api/keys');
  await walk(404, 'GET', '/api/keys', {server: loading, operator: true});
  const revoke = (status, id, headers) => walk(status, 'DELETE', '/api/keys/{id}', {at: `/api/keys/${id}`, headers});
  await revoke(401, created.record.id);
  await revoke(403, created.record.id, withoutToken);
  await revoke(404, 999999, session);
  await revoke(200, created.record.id, session);

  const operator = {operator: true};
  await walk(200, 'GET', '/api/users', operator);
  await walk(400, 'GET', '/api/users', {...operator, at: '/api/users?after=x'});
  await walk(401, 'GET', '/api/users');
  await walk(403, 'GET', '/api/users', {headers: session});
  assert.ok(json(await post(201, '/api/users', {name: 'dora'}, {}, operator)).password);
  await post(201, '/api/users', {name: 'emil', password: kPassword, role: 'user'}, {}, operator);
  await post(400, '/api/users', {name: 'fred', role: 'king'}, {}, operator);
  await post(401, '/api/users', {name: 'fred'});
  await post(403, '/api/users', {name: 'fred'}, session);
  await post(409, '/api/users', {name: 'dora'}, {}, operator);
  const of = name => ({at: `/api/users/${name}`});
  const patch = (status, name, body, more) => walk(status, 'PATCH', '/api/users/{name}', {...of(name), body, ...more, headers: {...kJson, ...more.headers}});
  await patch(200, 'dora', {disabled: true}, operator);
  await patch(400, 'dora', {disabled: 'yes'}, operator);
  await patch(401, 'dora', {disabled: true}, {});
  await patch(403, 'dora', {disabled: true}, {headers: session});
  await patch(404, 'nobody', {disabled: true}, operator);
  const reset = (status, name, body, more) =>
      walk(status, 'POST', '/api/users/{name}/password', {at: `/api/users/${name}/password`, body, ...more, headers: {...kJson, ...more.headers}});
  assert.ok(json(await reset(200, 'emil', {}, operator)).password);
  await reset(200, 'emil', {password: kPassword}, operator);
  await reset(400, 'emil', {password: 'short'}, operator);
  await reset(401, 'emil', {}, {});
  await reset(403, 'emil', {}, {headers: session});
  await reset(404, 'nobody', {}, operator);
  const remove = (status, name, more) => walk(status, 'DELETE', '/api/users/{name}', {...of(name), ...more});
  await remove(401, 'emil', {});
  await remove(403, 'emil', {headers: session});
  await remove(404, 'nobody', operator);
  await remove(200, 'emil', operator);
  await post(201, '/api/invites', {}, {}, operator);
  await post(400, '/api/invites', {valid_for: 'long'}, {}, operator);
  await post(401, '/api/invites', {});
  await post(403, '/api/invites', {}, session);

  const bye = await newSession('gerd');
  const {'X-CSRF-Token': ignored, ...byeWithoutToken} = bye;
  await walk(401, 'POST', '/api/logout');
  await walk(403, 'POST', '/api/logout', {headers: byeWithoutToken});
  await walk(200, 'POST', '/api/logout', {headers: bye});
  const leaving = await newSession('hugo');
  const leave = (status, password, headers = {}) => walk(status, 'DELETE', '/api/me', {headers: {...kJson, ...headers}, body: {password}});
  await leave(401, kPassword);
  await leave(403, 'wrong password 12', leaving);
  await leave(200, kPassword, leaving);
};

tests['the Open Inference Protocol'] = async () => {
  const headers = await newKey({name: 'oip'});
  const get = (status, path, target = path, more = {}) => walk(status, 'GET', path, {at: target, headers, ...more});
  await walk(200, 'GET', '/v2/health/live');
  await walk(200, 'GET', '/v2/health/ready');
  await walk(503, 'GET', '/v2/health/ready', {server: loading});
  for (const path of ['/v2', '/v2/logging', '/v2/trace/setting', '/v2/models', '/v2/models/stats']) {
    await get(200, path);
    await walk(401, 'GET', path);
  }
  const model = '/v2/models/{model}';
  const infer = JSON.stringify({inputs: [{name: 'image', shape: [1, 1], datatype: 'BYTES', data: [photo.toString('base64')]}]});
  for (const [prefix, known, unknown] of [[model, '/v2/models/demo', '/v2/models/unknown'],
                                          [model + '/versions/{version}', '/v2/models/demo/versions/1', '/v2/models/demo/versions/9']]) {
    for (const [path, wrong] of [['', 404], ['/config', 404], ['/ready', 404], ['/stats', 400]]) {
      await get(200, prefix + path, known + path);
      await get(wrong, prefix + path, unknown + path);
      await walk(401, 'GET', prefix + path, {at: known + path});
    }
    const post = (status, target, more = {}) =>
        walk(status, 'POST', prefix + '/infer', {at: target + '/infer', body: infer, ...more, headers: {...headers, ...more.headers}});
    await post(200, known);
    await post(200, known, {headers: {'Inference-Header-Content-Length': '0'}, body: photo});
    await post(400, known, {body: '{}'});
    await post(404, unknown);
    await post(501, known, {headers: {'Content-Encoding': 'br'}});
    await walk(401, 'POST', prefix + '/infer', {at: known + '/infer', body: infer});
  }
  await get(503, model + '/ready', '/v2/models/echo/ready', {server: loading});
  const post = (status, path, target, body, more = {}) => walk(status, 'POST', path, {at: target, body, headers, ...more});
  const none = {headers: {}};
  await post(200, '/v2/logging', '/v2/logging', {log_info: true});
  await post(400, '/v2/logging', '/v2/logging', {log_info: false});
  await post(401, '/v2/logging', '/v2/logging', {}, none);
  await post(200, '/v2/trace/setting', '/v2/trace/setting', {trace_rate: null});
  await post(400, '/v2/trace/setting', '/v2/trace/setting', {trace_level: ['TIMESTAMPS']});
  await post(401, '/v2/trace/setting', '/v2/trace/setting', {}, none);
  await post(200, '/v2/repository/index', '/v2/repository/index', {});
  await post(400, '/v2/repository/index', '/v2/repository/index', {ready: 'yes'});
  await post(401, '/v2/repository/index', '/v2/repository/index', {}, none);
  const loader = {headers: await newKey({name: 'loader', scopes: ['load']})};
  for (const verb of ['unload', 'load']) {
    const path = `/v2/repository/models/{model}/${verb}`;
    const at = name => `/v2/repository/models/${name}/${verb}`;
    await post(200, path, at('spare'), {}, loader);
    await post(400, path, at('spare'), {parameters: 1}, loader);
    await post(401, path, at('spare'), {}, none);
    await post(403, path, at('spare'), {});
    await post(500, path, at('unknown'), {}, loader);
    await post(200, '/v2/repository/index', '/v2/repository/index', {});
  }

  const file = `/dev/shm/${kRegion}`;
  writeFileSync(file, 'abcdefgh');
  try {
    for (const kind of ['system', 'cuda']) {
      const all = `/v2/${kind}sharedmemory`;
      const one = `${all}/region/{region}`;
      const at = `${all}/region/r`;
      await post(kind === 'system' ? 200 : 400, `${one}/register`, `${at}/register`, {key: kRegion, byte_size: 8});
      await post(400, `${one}/register`, `${at}/register`, {});
      await post(401, `${one}/register`, `${at}/register`, {}, none);
      if (kind === 'system') await get(200, `${one}/status`, `${at}/status`);
      await get(404, `${one}/status`, `${all}/region/other/status`);
      await walk(401, 'GET', `${one}/status`, {at: `${at}/status`});
      await get(200, `${all}/status`);
      await walk(401, 'GET', `${all}/status`);
      await post(200, `${one}/unregister`, `${at}/unregister`, {});
      await post(401, `${one}/unregister`, `${at}/unregister`, {}, none);
      await post(200, `${all}/unregister`, `${all}/unregister`, {});
      await post(401, `${all}/unregister`, `${all}/unregister`, {}, none);
    }
  } finally {
    rmSync(file);
  }
};

tests['DeepStack and CodeProject.AI'] = async () => {
  const headers = await newKey({name: 'deepstack'});
  const post = (status, path, target = path, more = {}) =>
      walk(status, 'POST', path, {at: target, body: form(picture(photo)), ...more, headers: {...kForm, ...headers, ...more.headers}});
  for (const path of ['/v1/vision/detection', '/v1/vision/custom', '/v1/vision/custom/{model}']) {
    const target = path.replace('{model}', 'demo');
    const answer = json(await post(200, path, target));
    assert.equal(answer.count, answer.predictions.length);
    await post(400, path, target, {body: form(part('other', 'x'))});
    await walk(401, 'POST', path, {at: target, headers: kForm, body: form(picture(photo))});
  }
  await post(404, '/v1/vision/custom/{model}', '/v1/vision/custom/unknown');
  for (const path of ['/v1/vision/scene', '/v1/vision/enhance']) {
    if (hasNetworks) {
      await post(200, path);
      await post(400, path, path, {body: form(part('other', 'x'))});
    }
    await walk(401, 'POST', path, {headers: kForm, body: form(picture(photo))});
    await post(403, path, path, {server: loading});
  }
  for (const method of ['GET', 'POST']) {
    await walk(200, method, '/v1/vision/custom/list', {headers});
    await walk(401, method, '/v1/vision/custom/list');
  }
  for (const folder of ['/v1/status', '/v1/server/status']) {
    for (const name of ['ping', 'version', 'updateavailable']) {
      await walk(200, 'GET', `${folder}/${name}`, {headers});
      await walk(401, 'GET', `${folder}/${name}`);
    }
  }
};

tests['DOODS'] = async () => {
  const headers = {...await newKey({name: 'doods'}), ...kJson};
  await walk(200, 'GET', '/detectors', {headers});
  await walk(401, 'GET', '/detectors');
  const detect = (status, body, more = headers) => walk(status, 'POST', '/detect', {headers: more, body});
  await detect(200, {id: 'x', data: photo.toString('base64'), detect: {'*': 10}});
  await detect(400, {id: 'x', data: '?'});
  await detect(401, {data: ''}, kJson);
};

tests['Roboflow'] = async () => {
  const headers = await newKey({name: 'roboflow'});
  await walk(200, 'GET', '/model/registry', {headers});
  await walk(401, 'GET', '/model/registry');
  const one = (status, at, body, more = headers) => walk(status, 'POST', '/{project}/{version}', {at, headers: more, body});
  const base64 = photo.toString('base64');
  await one(200, '/demo/1?confidence=0.1', base64);
  await one(400, '/demo/1', '?');
  await one(401, '/demo/1', base64, {});
  await one(404, '/unknown/1', base64);
  const infer = (status, body, more = headers) =>
      walk(status, 'POST', '/infer/object_detection', {headers: {...kJson, ...more}, body});
  const image = {type: 'base64', value: base64};
  await infer(200, {model_id: 'demo/1', image});
  assert.equal(json(await infer(200, {model_id: 'demo/1', image: [image, image]})).length, 2);
  await infer(400, {model_id: 'demo/1', image: 1});
  await infer(401, {model_id: 'demo/1', image}, {});
  await infer(404, {model_id: 'unknown/1', image});
};

tests['the WebSockets'] = async () => {
  const upgrade = {Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA=='};
  const key = await newKey({name: 'stream'});
  const get = (status, headers, at = '/stream?model=echo') => walk(status, 'GET', '/stream', {at, headers});
  await get(101, {...key, ...upgrade});
  await get(401, upgrade);
  await get(403, {...key, ...upgrade, Origin: 'https://elsewhere.example'});
  await get(404, {...key, ...upgrade}, '/stream?model=unknown');
  await get(426, key);
  const doods = (status, headers) => walk(status, 'GET', '/detect', {headers});
  await doods(101, {'doods-auth-key': key['X-API-Key'], ...upgrade});
  await doods(401, upgrade);
  await doods(403, {...key, ...upgrade, Origin: 'https://elsewhere.example'});
  await doods(426, key);
};

tests['HEAD and OPTIONS'] = async () => {
  const headers = await newKey({name: 'all', scopes: ['models', 'predict', 'load', 'admin']});
  for (const [path, methods] of Object.entries(document.paths)) {
    const target = path.replace('{model}', 'demo').replace('{version}', '1').replace(/\{\w+\}/, '1');
    const allowed = Object.keys(methods).map(method => method.toUpperCase());
    if (methods.get) allowed.push('HEAD');
    const options = await ask(main, 'OPTIONS', target, {operator: path === '/reload'});
    assert.equal(options.status, 204, path);
    assert.deepEqual(options.headers.allow.split(', ').sort(), [...allowed, 'OPTIONS'].sort(), path);
    if (!methods.get) continue;
    const get = await ask(main, 'GET', target, {headers});
    const head = await ask(main, 'HEAD', target, {headers});
    assert.equal(head.status, get.status, path);
    assert.equal(head.body.length, 0, path);
    assert.equal(head.headers['content-type'], get.headers['content-type'], path);
    assert.ok(Number(head.headers['content-length']) > 0, path);
  }
};

// This is the last test.
tests['every documented status was answered'] = async () => {
  const missing = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, {responses}] of Object.entries(methods)) {
      for (const status of Object.keys(responses)) {
        const name = `${method.toUpperCase()} ${path} ${status}`;
        if (status !== 'default' && !reached.has(name)) missing.push(name);
      }
    }
  }
  const ofNetworks = /^(PUT \/image 200|POST \/v1\/vision\/(scene|enhance) (200|400))$/;
  assert.deepEqual(missing.filter(name => hasNetworks || !ofNetworks.test(name)), []);
  console.log(`${reached.size} documented statuses were answered`);
};

let failed = 0;
try {
  lint(await new Validator().validate(structuredClone(document)));
  await until('the models are ready', async () => (await ask(main, 'GET', '/readyz')).status === 200);
  failed = await runEach(tests);
} catch (error) {
  ++failed;
  console.log(error.stack);
} finally {
  if (failed) console.log(main.log());
  await main.stop();
  await loading.stop();
}
process.exit(failed ? 1 : 0);
