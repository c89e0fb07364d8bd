// The page of yolod: it asks a model about pictures, draws the answers, and shows the state of the server. All addresses
// are relative, because a proxy may serve the page under a prefix.
'use strict';

const $ = id => document.getElementById(id);
const kAskedConfidence = 0.05;  // the slider filters what the server has found above this
const kMostAnswers = 50;        // older answers leave the page
const kPeriod = 1000;           // ms between two looks at the server
const kPoints = 60;             // of a plot
const kFramePeriod = 40;        // ms between two pictures of the camera

// ---- small helpers ----

function say(text, isBad) {
  $('message').textContent = text;
  $('message').classList.toggle('bad', Boolean(isBad));
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function headers() {
  return $('key').value ? {'X-API-Key': $('key').value} : {};
}

function save(blob, name) {
  const link = element('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function megabytes(bytes) {
  return (bytes / 1048576).toFixed(0) + ' MiB';
}

const plural = (count, word) => count + ' ' + word + (count === 1 ? '' : 's');

// ---- asking ----

function target(model, confidence) {
  const query = new URLSearchParams();
  if (model) query.set('model', model);
  if (confidence !== undefined) query.set('confidence', confidence);
  const text = query.toString();
  return 'predict' + (text ? '?' + text : '');
}

// Returns {answer}, {picture} for a model that makes pictures, or {error}.
async function ask(file, model) {
  let response = await fetch(target(model, kAskedConfidence), {method: 'POST', body: file, headers: headers()}).catch(() => null);
  // Only detectors have a confidence.
  if (response && response.status === 400 && (await response.clone().text()).includes('confidence')) {
    response = await fetch(target(model), {method: 'POST', body: file, headers: headers()}).catch(() => null);
  }
  if (!response) return {error: 'The server does not answer.'};
  if (response.ok && (response.headers.get('Content-Type') || '').startsWith('image/')) {
    return {picture: await response.blob()};
  }
  const answer = await response.json().catch(() => null);
  // A proxy's own answers are not JSON.
  if (!answer) return {error: 'A proxy in front of the server answered ' + response.status + ' ' + response.statusText + '.'};
  if (!answer.success) {
    const error = answer.error || {};
    return {error: (error.code || response.status) + ': ' + (error.message || response.statusText)};
  }
  return {answer};
}

// Pictures wait for each other, so that one page takes one place of the server's queue.
let lastTurn = Promise.resolve();
let waiting = 0;

function lookAll(files) {
  for (const file of files) {
    ++waiting;
    lastTurn = lastTurn.then(() => look(file)).catch(error => say(String(error), true));
  }
}

async function look(file) {
  const name = file.name || 'picture';
  say('The model examines ' + name + (waiting > 1 ? ', and ' + plural(waiting - 1, 'picture') + ' wait' + (waiting === 2 ? 's' : '') : '') + '.');
  const model = $('model').value;
  const result = await ask(file, model);
  --waiting;
  if (result.error) return say(name + ': ' + result.error, true);
  const shown = result.picture || file;
  const bitmap = await createImageBitmap(shown).catch(() => null);  // a browser cannot decode every format
  const view = new View(name, model, shown, bitmap, result.answer);
  $('answers').prepend(view.article);
  view.show();  // a canvas outside of the page has no fonts
  views.unshift(view);
  for (const old of views.splice(kMostAnswers)) old.article.remove();
  $('filters').hidden = false;
  say(view.summary());
}

// ---- an answer ----

const views = [];

// Returns the predictions that the slider and the search leave.
function chosenOf(predictions) {
  const least = Number($('confidence').value);
  const label = $('label').value.trim().toLowerCase();
  return predictions.filter(p => (p.confidence ?? p.probability) >= least && p.label.toLowerCase().includes(label));
}

class View {
  constructor(name, model, file, bitmap, answer) {
    Object.assign(this, {name, model, file, bitmap, answer});
    this.article = $('answer').content.firstElementChild.cloneNode(true);
    this.canvas = this.part('canvas');
    this.part('h3').textContent = name;
    if (!bitmap) this.part('.picture').replaceChildren(element('p', 'This browser cannot show the picture.'));
    this.part('.save-picture').onclick = () => this.canvas.toBlob(blob => save(blob, this.stem() + '.png'), 'image/png');
    this.part('.save-picture').hidden = !bitmap;
    this.part('.save-json').onclick = () => save(new Blob([JSON.stringify(answer, null, 2)], {type: 'application/json'}), this.stem() + '.json');
    this.part('.save-json').hidden = !answer;
    this.part('.copy').onclick = () => this.copy();
    this.part('.copy').hidden = !navigator.clipboard;  // browsers have it for https and localhost alone
    if (answer && answer.timing_ms) this.writeTimes(answer.timing_ms);
  }

  part(selector) {
    return this.article.querySelector(selector);
  }

  stem() {
    return this.name.replace(/\.[^.]*$/, '') + '-yolod';
  }

  chosen() {
    return chosenOf(this.answer?.predictions || []);
  }

  isDetection() {
    return (this.answer?.predictions || []).every(p => p.box);
  }

  summary() {
    if (!this.answer) return this.name + ': the model made this picture.';
    if (!this.answer.predictions) return this.name + ': ' + JSON.stringify(this.answer);
    const count = this.chosen().length;
    return this.name + ': ' + (this.isDetection() ? plural(count, 'object') : plural(count, 'label')) + ' by ' + this.answer.model +
      ' in ' + this.answer.timing_ms.total.toFixed(1) + ' ms';
  }

  writeTimes(times) {
    for (const [stage, ms] of Object.entries(times)) {
      const pair = element('div');
      pair.append(element('dt', stage), element('dd', ms.toFixed(1) + ' ms'));
      this.part('.times').append(pair);
    }
  }

  // Draws and writes again what the slider and the search leave.
  show() {
    const chosen = this.chosen();
    this.part('.summary').textContent = this.summary();
    if (this.bitmap) this.draw(chosen);
    const rows = this.part('tbody');
    rows.replaceChildren();
    for (const p of chosen) {
      const row = rows.insertRow();
      const box = p.box ? [p.box.x_min, p.box.y_min, p.box.x_max, p.box.y_max].map(Math.round).join(', ') : '';
      for (const text of [p.label, (p.confidence ?? p.probability).toFixed(3), box]) row.insertCell().textContent = text;
    }
    this.part('table').hidden = chosen.length === 0;
    this.part('pre').textContent = this.command();
  }

  draw(chosen) {
    const {canvas, bitmap} = this;
    const pen = canvas.getContext('2d');
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    pen.drawImage(bitmap, 0, 0);
    const size = prepare(pen, bitmap.width);
    // The texts come after all frames, and the most confident prediction last, so that nothing crosses it out.
    const boxes = chosen.filter(p => p.box).reverse();
    for (const p of boxes) drawFrame(pen, p);
    for (const p of boxes) drawText(pen, p, size);
    canvas.setAttribute('aria-label', this.name + (chosen.length ? ': ' + chosen.map(p => p.label).join(', ') : ', without predictions'));
  }

  // Returns the command that gets the same answer in a shell.
  command() {
    const quote = text => "'" + text.replaceAll("'", "'\\''") + "'";
    const least = this.isDetection() && this.answer ? $('confidence').value : undefined;
    return 'curl ' + ($('key').value ? '-H "X-API-Key: $KEY" ' : '') + '--data-binary ' + quote('@' + this.name) + ' ' +
      quote(new URL(target(this.model, least), document.baseURI).href);
  }

  copy() {
    navigator.clipboard.writeText(this.command()).then(() => say('The command is in the clipboard.'), () => say('The browser does not allow it.', true));
  }
}

const colour = p => 'hsl(' + (p.class_id * 47) % 360 + ' 90% 32%)';

// Sets the pen for a picture of that width. Returns the size of its texts.
function prepare(pen, width) {
  const size = Math.max(12, width / 50);
  pen.font = size + 'px system-ui, sans-serif';
  pen.lineWidth = Math.max(2, width / 300);
  return size;
}

function drawFrame(pen, p) {
  pen.strokeStyle = colour(p);
  pen.strokeRect(p.box.x_min, p.box.y_min, p.box.x_max - p.box.x_min, p.box.y_max - p.box.y_min);
}

function drawText(pen, p, size) {
  const text = p.label + ' ' + p.confidence.toFixed(2);
  const top = Math.max(0, p.box.y_min - size * 1.3);
  pen.fillStyle = colour(p);
  pen.fillRect(p.box.x_min, top, pen.measureText(text).width + 8, size * 1.3);
  pen.fillStyle = '#fff';
  pen.fillText(text, p.box.x_min + 4, top + size);
}

function showAll() {
  $('least').textContent = Number($('confidence').value).toFixed(2);
  for (const view of views) view.show();
  if (live) live.show();
  if (views.length) say(views[0].summary());
}

// ---- the camera ----

// The camera sends its pictures through a WebSocket. The server drops a picture that waits when a newer one comes.
class Live {
  constructor(media) {
    Object.assign(this, {media, sent: 0, dropped: 0, sentAt: new Map(), predictions: [], isOpen: false, canSend: false});
    this.shot = document.createElement('canvas');
    const query = new URLSearchParams({drop: 'oldest'});
    if ($('model').value) query.set('model', $('model').value);
    const address = new URL('stream?' + query, document.baseURI);
    address.protocol = address.protocol.replace('http', 'ws');
    // A page cannot set a header of a WebSocket, so the key is the name of a protocol.
    this.socket = new WebSocket(address, $('key').value ? ['yolod', 'yolod.key.' + $('key').value] : []);
    this.socket.onopen = () => {
      this.ask({confidence: kAskedConfidence});
      this.isOpen = this.canSend = true;
    };
    this.socket.onmessage = event => this.take(event.data);
    this.socket.onclose = event => this.stop(event.reason || (this.isOpen ? 'the connection ended' : 'the server refuses the stream'));
    $('video').srcObject = media;
    $('video').play().catch(() => {});
    this.timer = setInterval(() => this.send(), kFramePeriod);
  }

  ask(options) {
    this.socket.send(JSON.stringify(options));
  }

  send() {
    const film = $('video');
    // A slow network gets fewer pictures.
    if (!this.canSend || this.socket.bufferedAmount > 0 || !film.videoWidth) return;
    this.shot.width = film.videoWidth;
    this.shot.height = film.videoHeight;
    this.shot.getContext('2d').drawImage(film, 0, 0);
    this.canSend = false;
    this.shot.toBlob(blob => {
      this.canSend = true;
      if (!blob || this.socket.readyState !== WebSocket.OPEN) return;
      this.sentAt.set(++this.sent, performance.now());
      this.socket.send(blob);
    }, 'image/jpeg', 0.8);
  }

  take(data) {
    if (typeof data !== 'string') return;  // the picture of a model that makes pictures
    const answer = JSON.parse(data);
    this.dropped += answer.dropped || 0;
    const took = performance.now() - this.sentAt.get(answer.seq);
    for (const number of this.sentAt.keys()) if (number <= answer.seq) this.sentAt.delete(number);
    if (!answer.success) {
      // Only detectors have a confidence.
      if (answer.error.message.includes('confidence')) return this.ask({confidence: null});
      return say('Camera: ' + answer.error.code + ': ' + answer.error.message, true);
    }
    this.predictions = answer.predictions || [];
    this.told = ' by ' + answer.model + ', ' + took.toFixed(0) + ' ms after the picture; ' + plural(this.sent, 'picture') + ' sent, ' + this.dropped + ' dropped';
    this.show();
  }

  show() {
    const chosen = chosenOf(this.predictions);
    const boxes = chosen.filter(p => p.box).reverse();
    const canvas = $('boxes');
    canvas.width = this.shot.width;
    canvas.height = this.shot.height;
    const pen = canvas.getContext('2d');
    const size = prepare(pen, canvas.width);
    for (const p of boxes) drawFrame(pen, p);
    for (const p of boxes) drawText(pen, p, size);
    $('live-summary').textContent = (chosen.map(p => p.label).join(', ') || 'nothing') + (this.told || '');
  }

  stop(why) {
    if (live !== this) return;
    live = null;
    clearInterval(this.timer);
    this.socket.close();
    for (const track of this.media.getTracks()) track.stop();
    $('video').srcObject = null;
    $('live').hidden = true;
    tellCamera();
    say(why ? 'The camera has stopped: ' + why + '.' : 'The camera has stopped.', Boolean(why));
  }
}

let live = null;

function tellCamera() {
  $('camera').textContent = live ? 'Stop the camera' : 'Start the camera';
  $('camera').setAttribute('aria-pressed', String(Boolean(live)));
}

async function toggleCamera() {
  if (live) return live.stop();
  if (!navigator.mediaDevices) return say('A browser gives the camera only to pages over https, or from this machine.', true);
  const media = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 640}}}).catch(error => say('The camera: ' + error.message, true));
  if (!media || live) return;
  live = new Live(media);
  $('live').hidden = $('filters').hidden = false;
  tellCamera();
  say('The camera runs.');
}

// ---- the server ----

class Plot {
  constructor(title, format) {
    this.format = format;
    this.points = [];
    this.now = element('b');
    const caption = element('figcaption', title + ' ');
    caption.append(this.now);
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 ' + (kPoints - 1) + ' 40');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');  // the caption has the present value
    this.line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
    svg.append(this.line);
    const figure = element('figure');
    figure.append(caption, svg);
    $('plots').append(figure);
  }

  add(value) {
    this.points.push(value);
    this.points.splice(0, this.points.length - kPoints);
    this.now.textContent = this.format(value);
    const most = Math.max(...this.points, 1e-9);
    this.line.setAttribute('points', this.points.map((y, x) => (x + kPoints - this.points.length) + ',' + (38 - 36 * y / most)).join(' '));
  }
}

let plots = null;
let before = null;

// Returns the sum of a metric's series whose labels contain `label`.
function sum(metrics, name, label) {
  let total = 0;
  for (const line of metrics.split('\n')) {
    if (line.startsWith(name + '{') && line.includes(label)) total += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return total;
}

async function fetchText(path) {
  const response = await fetch(path, {headers: headers()}).catch(() => null);
  return response && response.ok ? response.text() : null;
}

function writeWorkers(models) {
  const rows = [];
  for (const model of models) {
    const workers = model.workers.length ? model.workers : [{}];
    workers.forEach((worker, i) => {
      const row = element('tr');
      const ofModel = i === 0 ? [model.name, model.state + (model.reloading ? ', reloading' : ''), String(model.queue.depth)] : ['', '', ''];
      const ofWorker = worker.pid === undefined ? ['', '', '', '', '', ''] :
        [worker.pid, worker.state, worker.generation, worker.restarts, worker.requests, megabytes(worker.rss_bytes)].map(String);
      for (const text of [...ofModel, ...ofWorker]) row.append(element('td', text));
      if (worker.state === 'dead') row.className = 'bad';
      rows.push(row);
    });
  }
  $('workers').replaceChildren(...rows);
}

function plot(models, metrics) {
  const now = {at: performance.now(), requests: sum(metrics, 'yolod_requests_total', ''),
               seconds: sum(metrics, 'yolod_request_seconds_sum', 'stage="total"'),
               count: sum(metrics, 'yolod_request_seconds_count', 'stage="total"')};
  if (!plots) {
    plots = {rate: new Plot('requests per second', value => value.toFixed(1)),
             latency: new Plot('mean latency', value => value.toFixed(1) + ' ms'),
             queue: new Plot('waiting requests', value => value.toFixed(0))};
  }
  plots.queue.add(models.reduce((total, model) => total + model.queue.depth, 0));
  if (before && now.count >= before.count) {
    plots.rate.add(Math.max(0, now.requests - before.requests) * 1000 / (now.at - before.at));
    const answered = now.count - before.count;
    plots.latency.add(answered ? (now.seconds - before.seconds) * 1000 / answered : 0);
  }
  before = now;
}

function listModels(names) {
  const chosen = $('model').value;
  if ([...$('model').options].slice(1).map(option => option.value).join('\n') === names.join('\n')) return;
  $('model').replaceChildren(new Option('the default model', ''), ...names.map(name => new Option(name, name)));
  if (names.includes(chosen)) $('model').value = chosen;
}

// Shows the state of the server if this client may see it.
async function lookAtServer() {
  const [statusText, metrics] = await Promise.all([fetchText('status'), fetchText('metrics')]);
  $('server-part').hidden = !statusText;
  if (!statusText) return;
  const status = JSON.parse(statusText);
  $('server').textContent = 'yolod ' + status.version + ', up for ' + plural(Math.floor(status.uptime / 60), 'minute');
  writeWorkers(status.models);
  if (metrics) plot(status.models, metrics);
  listModels(status.models.map(model => model.name));
}

// A client that may not see the state may still list the models.
async function lookAtModels() {
  const text = await fetchText('v2/models');
  if (text) listModels(JSON.parse(text).models);
}

async function watch() {
  for (;;) {
    if (!document.hidden) {
      await lookAtServer();
      if ($('server-part').hidden) await lookAtModels();
    }
    // A server that hides its state is asked again when the page's user has typed a key, or after a longer time.
    await new Promise(resolve => {
      const timer = setTimeout(resolve, $('server-part').hidden ? 15 * kPeriod : kPeriod);
      $('key').onchange = () => { clearTimeout(timer); resolve(); };
    });
  }
}

// ---- the page's events ----

const pictures = list => [...list].filter(file => file.type.startsWith('image/') || file.type === '');
$('file').onchange = () => {
  lookAll($('file').files);
  $('file').value = '';
};
document.ondragover = event => {
  event.preventDefault();
  $('drop').classList.add('over');
};
document.ondragleave = () => $('drop').classList.remove('over');
document.ondrop = event => {
  event.preventDefault();
  $('drop').classList.remove('over');
  lookAll(pictures(event.dataTransfer.files));
};
document.onpaste = event => lookAll(pictures(event.clipboardData.files));
$('confidence').oninput = showAll;
$('label').oninput = showAll;
$('camera').onclick = toggleCamera;
watch();
