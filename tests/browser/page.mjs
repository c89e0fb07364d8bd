// Uses the page at / in Debian's Chromium, as a person does: pictures are dropped, the boxes are compared with the
// answers of /predict, and the state of the server is watched while a worker dies. Screenshots stay under the build
// folder.
//
// usage: page.mjs FOLDER-OF-THE-PROGRAMS
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { kSlowness, launchBrowser, runTests, Server, until } from './support.mjs';

const programs = process.argv[2];
const data = process.env.YOLOD_TEST_DATA || join(import.meta.dirname, '../../../shared/data');
const network = join(data, 'darknet/yolo-fastest-1.1');
const photo = name => join(data, 'photos', name);
const pictures = join(programs, 'screenshots');
mkdirSync(pictures, {recursive: true});

const server = new Server(programs, () => `
server: {listen: ["127.0.0.1:0"]}
models:
  - name: fastest
    workers: 2
    darknet: {cfg: ${network}/yolo-fastest-1.1.cfg, weights: ${network}/yolo-fastest-1.1.weights, names: ${network}/coco.names}
  - {name: echo, workers: 1, identity: {}}
`);
const base = await server.address();
// Chromium draws the picture of the camera itself, and asks no person.
const browser = await launchBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);

// A fresh page. `problems` collects everything that the console says, and every request to another address.
async function open(options = {}) {
  const context = await browser.newContext({viewport: {width: 1100, height: 900}, acceptDownloads: true, ...options});
  context.setDefaultTimeout(30_000 * kSlowness);
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', error => problems.push(String(error)));
  page.on('console', message => problems.push(message.text()));
  page.on('request', request => {
    if (!request.url().startsWith(base + '/') && !request.url().startsWith('blob:')) problems.push(request.url());
  });
  await page.goto(base + '/');
  return {context, page, problems};
}

async function predict(name, confidence) {
  const response = await fetch(base + '/predict?confidence=' + confidence, {method: 'POST', body: readFileSync(photo(name))});
  return (await response.json()).predictions;
}

// Returns the rows of the newest answer.
const rows = page => page.$$eval('article:first-of-type tbody tr', list =>
  list.map(row => [...row.cells].map(cell => cell.textContent)));

const expectedRows = predictions => predictions.map(p => [
  p.label, p.confidence.toFixed(3),
  [p.box.x_min, p.box.y_min, p.box.x_max, p.box.y_max].map(Math.round).join(', ')]);

const summary = page => page.textContent('article:first-of-type .summary');

async function ask(page, ...names) {
  const before = await page.locator('article').count();
  await page.setInputFiles('#file', names.map(photo));
  await page.waitForFunction(count => document.querySelectorAll('article').length === count, before + names.length);
}

async function moveSlider(page, value) {
  await page.$eval('#confidence', (slider, to) => {
    slider.value = to;
    slider.dispatchEvent(new Event('input'));
  }, value);
}

const tests = {
  async 'a dropped picture gets the rows and the boxes of /predict'() {
    const {context, page, problems} = await open();
    const bytes = readFileSync(photo('dog.jpg')).toString('base64');
    await page.evaluate(text => {
      const file = new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], 'dog.jpg', {type: 'image/jpeg'});
      const transfer = new DataTransfer();
      transfer.items.add(file);
      for (const type of ['dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: transfer}));
      }
    }, bytes);
    await page.waitForSelector('article');
    await page.screenshot({path: join(pictures, 'page.png'), fullPage: true});
    const expected = await predict('dog.jpg', 0.25);
    assert.ok(expected.length > 0);
    assert.deepEqual(await rows(page), expectedRows(expected));
    // The frame of a box and its text have the colour of the class, which the photo has not.
    const colour = (x, y) => page.$eval('article canvas', (canvas, [left, top]) => {
      const copy = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
      copy.drawImage(canvas, -Math.round(left), -Math.round(top));
      return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }, [x, y]);
    const is_strong = ([r, g, b]) => Math.max(r, g, b) - Math.min(r, g, b) > 100;
    const textHeight = 1.3 * 768 / 50;
    for (const {label, box} of expected) {
      const frame = await colour(box.x_min, (box.y_min + box.y_max) / 2);
      assert.ok(is_strong(frame), `no frame at the left of ${label}: ${frame}`);
      const text = await colour(box.x_min + 40, Math.max(0, box.y_min - textHeight) + 2);
      assert.ok(is_strong(text), `no text at ${label} ${Math.round(box.x_min)}: ${text}`);
    }
    assert.match(await page.getAttribute('article canvas', 'aria-label'), /^dog\.jpg: /);
    assert.deepEqual(problems, []);
    await context.close();
  },

  async 'several pictures get an answer each, and a file that is no picture gets the error of the server'() {
    const {context, page, problems} = await open();
    await ask(page, 'dog.jpg', 'horses.jpg', 'giraffe.jpg');
    assert.match(await summary(page), /^giraffe\.jpg: /);
    await page.setInputFiles('#file', {name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture')});
    await page.waitForSelector('#message.bad');
    assert.match(await page.textContent('#message'), /^notes\.txt: [a-z_]+: /);
    // Chromium itself reports each answer with an error.
    assert.deepEqual(problems.filter(text => !text.includes('400')), []);
    await context.close();
  },

  async 'the slider and the search act at once, without a request'() {
    const {context, page, problems} = await open();
    await ask(page, 'dog.jpg');
    const sent = [];
    page.on('request', request => { if (request.url().includes('predict')) sent.push(request.url()); });
    await moveSlider(page, 0.06);
    const all = await predict('dog.jpg', 0.06);
    assert.deepEqual(await rows(page), expectedRows(all));
    await moveSlider(page, 1);
    assert.deepEqual(await rows(page), []);
    assert.match(await summary(page), /: 0 objects by fastest in /);
    await moveSlider(page, 0.06);
    await page.fill('#label', 'DOG');
    assert.deepEqual(await rows(page), expectedRows(all.filter(p => p.label.includes('dog'))));
    assert.deepEqual(sent, []);
    assert.match(await page.textContent('article pre'), /^curl --data-binary '@dog\.jpg' 'http.*\/predict\?confidence=0\.06'$/);
    assert.deepEqual(problems, []);
    await context.close();
  },

  async 'the picture and the JSON can be saved'() {
    const {context, page} = await open();
    await ask(page, 'dog.jpg');
    for (const [button, name, begin] of [['.save-picture', 'dog-yolod.png', '\x89PNG'], ['.save-json', 'dog-yolod.json', '{']]) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('article ' + button)]);
      assert.equal(download.suggestedFilename(), name);
      assert.ok(readFileSync(await download.path(), 'latin1').startsWith(begin));
    }
    await context.close();
  },

  async 'another model can be chosen, whose answer has no predictions'() {
    const {context, page, problems} = await open();
    await page.waitForFunction(() => document.getElementById('model').options.length === 3);
    await page.selectOption('#model', 'echo');
    await ask(page, 'dog.jpg');
    assert.match(await summary(page), /"crc32"/);
    assert.deepEqual(problems.filter(text => !text.includes('400')), []);
    await context.close();
  },

  async 'a worker that dies shows within 2 s, and its replacement too'() {
    const {context, page, problems} = await open();
    await page.waitForSelector('#workers tr');
    const pid = (await page.$$eval('#workers tr', list => list.map(row => row.cells[3].textContent))).find(text => text);
    await page.screenshot({path: join(pictures, 'server.png'), fullPage: true});
    const began = Date.now();
    process.kill(Number(pid), 'SIGKILL');
    await page.waitForFunction(old => {
      const list = [...document.querySelectorAll('#workers tr')];
      return list.length > 0 && !list.some(row => row.cells[3].textContent === old && row.cells[4].textContent !== 'dead');
    }, pid);
    assert.ok(Date.now() - began < 2000 * kSlowness, `${Date.now() - began} ms`);
    await page.waitForFunction(() => [...document.querySelectorAll('#workers tr')].some(row => row.cells[6].textContent === '1'));
    assert.equal(await page.locator('#plots figure').count(), 3);
    assert.deepEqual(problems, []);
    await context.close();
  },

  async 'a phone shows everything without scrolling sideways, in the dark too'() {
    for (const colorScheme of ['light', 'dark']) {
      const {context, page, problems} = await open({viewport: {width: 360, height: 740}, colorScheme});
      await ask(page, 'dog.jpg');
      await page.waitForSelector('#workers tr');
      const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide <= shown, `${wide} px are needed, ${shown} are there`);
      await page.screenshot({path: join(pictures, `phone-${colorScheme}.png`), fullPage: true});
      assert.deepEqual(problems, []);
      await context.close();
    }
  },

  async 'axe-core finds nothing serious, in the light and in the dark'() {
    for (const colorScheme of ['light', 'dark']) {
      const {context, page} = await open({colorScheme, bypassCSP: true});  // the policy allows no script but the page's
      await ask(page, 'dog.jpg');
      await page.waitForSelector('#workers tr');
      await page.addScriptTag({path: join(import.meta.dirname, 'node_modules/axe-core/axe.min.js')});
      const {violations} = await page.evaluate(() => axe.run());
      const serious = violations.filter(found => ['serious', 'critical'].includes(found.impact));
      assert.deepEqual(serious.map(found => [found.id, found.nodes.map(node => node.html)]), []);
      await context.close();
    }
  },

  async 'the keyboard reaches every control, in the order of the page'() {
    const {context, page} = await open();
    await ask(page, 'dog.jpg');
    await page.waitForSelector('#workers tr');
    await page.evaluate(() => document.activeElement.blur());
    const reached = [];
    for (let i = 0; i < 20; ++i) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate(() => {
        const focused = document.activeElement;
        return focused === document.body ? '' : focused.id || focused.className || focused.tagName;
      });
      if (!name) break;
      reached.push(name);
    }
    for (const control of ['model', 'key', 'file', 'confidence', 'label', 'save-picture', 'save-json', 'copy']) {
      assert.ok(reached.includes(control), `${control} is not among ${reached}`);
    }
    assert.ok(reached.indexOf('model') < reached.indexOf('file') && reached.indexOf('file') < reached.indexOf('save-json'));
    // The arrows move the slider.
    await page.focus('#confidence');
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.textContent('#least'), '0.26');
    await context.close();
  },

  async 'the page is a document below 60 KB, and a browser that has it gets 304'() {
    const response = await fetch(base + '/');
    const text = await response.text();
    assert.ok(text.length < 60_000, `${text.length} bytes`);
    const again = await fetch(base + '/', {headers: {'If-None-Match': response.headers.get('ETag')}});
    assert.equal(again.status, 304);
    assert.equal(await again.text(), '');
    const {context, page} = await open();
    const loaded = await page.evaluate(() => performance.getEntriesByType('resource').filter(entry =>
      entry.initiatorType !== 'fetch').map(entry => entry.name));
    assert.deepEqual(loaded, []);
    await context.close();
  },

  async 'the camera is sent live, its boxes are drawn over the video, and it stops'() {
    const {context, page, problems} = await open();
    await page.selectOption('#model', 'fastest');
    await page.focus('#camera');
    await page.keyboard.press('Enter');
    const told = () => page.textContent('#live-summary');
    await until('answers', async () => Number((/(\d+) pictures? sent/.exec(await told()) || [])[1]) > 5);
    assert.match(await told(), /by fastest, \d+ ms after the picture/);
    assert.equal(await page.getAttribute('#camera', 'aria-pressed'), 'true');
    assert.ok(await page.$eval('#boxes', canvas => canvas.width > 0 && canvas.width === document.getElementById('video').videoWidth));
    // With the slider at 0 the network finds something in every picture, and the canvas has pixels.
    await moveSlider(page, 0);
    await until('boxes', () => page.$eval('#boxes', canvas =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(byte => byte !== 0)));
    await page.screenshot({path: join(pictures, 'camera.png')});
    await page.click('#camera');
    await page.waitForSelector('#live', {state: 'hidden'});
    assert.equal(await page.$eval('#video', video => video.srcObject), null);
    await until('the stream has ended', async () => /yolod_streams 0/.test(await (await fetch(base + '/metrics')).text()));
    assert.deepEqual(problems, []);
    await context.close();
  },

  async 'a model that does not detect answers the camera too'() {
    const {context, page} = await open();
    await page.selectOption('#model', 'echo');
    await page.click('#camera');
    await until('answers', async () => /by echo/.test(await page.textContent('#live-summary')));
    await context.close();
  },
};

await runTests(tests, server, browser, () =>
  until('the models are ready', async () => (await fetch(base + '/readyz')).status === 200));
