// Uses the pages of people in Debian's Chromium, as a person does, and attacks them, as another site does. It starts a
// server of its own (support.mjs).
//
// usage: people_pages.mjs FOLDER-OF-THE-PROGRAMS
import assert from 'node:assert/strict';
import http from 'node:http';

import { kSlowness, launchBrowser, runTests, Server, until } from './support.mjs';

const kPassword = 'tree lamp river 9';
const kOtherPassword = 'cloud desk apple 4';

// ---- the server ----

const server = new Server(process.argv[2], folder => `
server: {listen: ["127.0.0.1:0"], state_dir: ${folder}/state}
access: {mode: keys, register: open}
models: [{name: echo, workers: 1, identity: {}}]
`);
const base = await server.address();
const operate = (method, path, body) => server.operate(method, path, body);

async function predict(key) {
  const response = await fetch(base + '/predict', {method: 'POST', body: 'a body', headers: key ? {Authorization: 'Bearer ' + key} : {}});
  return response.status;
}

// ---- another site ----

const evilPages = {};
const evil = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(evilPages[request.url] || '<!doctype html><p>nothing');
});
await new Promise(resolve => evil.listen(0, '127.0.0.1', resolve));
// The first of these is another origin of the same site, so that the browser sends even a strict cookie.
const evilOrigins = ['http://127.0.0.1:' + evil.address().port, 'http://localhost:' + evil.address().port];

// ---- the browser ----

const browser = await launchBrowser();

// A person with a fresh browser. `problems` collects everything that the pages must not cause.
async function newPerson() {
  const context = await browser.newContext();
  context.setDefaultTimeout(30_000 * kSlowness);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], {origin: base});
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', error => problems.push(String(error)));
  page.on('console', message => {
    if (/Content Security Policy|Refused to/.test(message.text())) problems.push(message.text());
  });
  page.on('dialog', dialog => {
    if (dialog.type() !== 'confirm') problems.push('a dialog: ' + dialog.message());
    return dialog.accept();
  });
  return {context, page, problems};
}

const at = path => url => url.href === base + path;

async function register(page, name, password) {
  await page.goto(base + '/login');
  await page.click('#new summary');
  await page.fill('#register [name=name]', name);
  await page.fill('#register [name=password]', password);
  await page.fill('#register [name=again]', password);
  await page.click('#register button');
  await page.waitForURL(at('/account'));
}

async function logIn(page, name, password, address = '/login') {
  await page.goto(base + address);
  await page.fill('#log-in [name=name]', name);
  await page.fill('#log-in [name=password]', password);
  await page.click('#log-in button');
}

async function sessionOf(context) {
  return (await context.cookies(base)).find(cookie => cookie.name === 'yolod');
}

async function makeKey(page, name) {
  await page.fill('#new-key [name=name]', name);
  await page.click('#new-key button');
  await page.waitForSelector('#secret', {state: 'visible'});
  return page.inputValue('#secret-text');
}

const message = (page, pattern) =>
  page.waitForFunction(text => new RegExp(text).test(document.getElementById('message').textContent), pattern.source);

const tests = {
  async 'a person registers, makes a key, copies it, uses it, revokes it, and logs out'() {
    const {context, page, problems} = await newPerson();
    await register(page, 'anna', kPassword);
    await page.waitForFunction(() => document.getElementById('me').textContent === 'anna');
    assert.equal(await predict(), 401);

    const key = await makeKey(page, 'camera');
    assert.match(key, /^yld_[A-Za-z0-9]{36}$/);
    await page.click('#copy');
    await message(page, /Copied/);
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
    await page.click('#seen');
    assert.equal(await page.inputValue('#secret-text'), '');
    assert.equal(await predict(key), 200);
    assert.ok(!(await page.content()).includes(key), 'the page shows the key once');

    await page.click('#keys tbody button');
    await message(page, /revoked/);
    assert.equal(await predict(key), 401);

    await page.click('#log-out');
    await page.waitForURL(at('/login'));
    assert.equal(await sessionOf(context), undefined);
    await page.goto(base + '/account');
    await page.waitForURL(at('/login'));
    assert.deepEqual(problems, []);
  },

  async 'a wrong password is refused, and a changed password counts'() {
    const {page, problems} = await newPerson();
    await register(page, 'paul', kPassword);
    await page.fill('#change [name=old_password]', kPassword);
    await page.fill('#change [name=new_password]', kOtherPassword);
    await page.fill('#change [name=again]', kOtherPassword);
    await page.click('#change button');
    await message(page, /changed/);
    await page.click('#log-out');
    await page.waitForURL(at('/login'));
    await logIn(page, 'paul', kPassword);
    await message(page, /wrong/);
    await logIn(page, 'paul', kOtherPassword);
    await page.waitForURL(at('/account'));
    await page.fill('#delete [name=password]', kOtherPassword);
    await page.click('#delete button');
    await page.waitForURL(at('/login'));
    await logIn(page, 'paul', kOtherPassword);
    await message(page, /wrong/);
    assert.deepEqual(problems, []);
  },

  async 'no script reads the cookie, and a log-in does not take over a session that there is'() {
    const {context, page, problems} = await newPerson();
    const planted = 'A'.repeat(43);
    await context.addCookies([{name: 'yolod', value: planted, url: base}]);
    await logIn(page, 'anna', kPassword);
    await page.waitForURL(at('/account'));
    const cookie = await sessionOf(context);
    assert.notEqual(cookie.value, planted);
    assert.ok(cookie.httpOnly);
    assert.equal(cookie.sameSite, 'Strict');
    assert.equal(await page.evaluate(() => document.cookie), '');
    const fixed = await fetch(base + '/api/me', {headers: {Cookie: 'yolod=' + planted}});
    assert.equal(fixed.status, 401);
    assert.deepEqual(problems, []);
  },

  async 'the name of a key is text, also if it looks like HTML'() {
    const {page, problems} = await newPerson();
    await logIn(page, 'anna', kPassword);
    await page.waitForURL(at('/account'));
    const name = '<img src=x onerror=alert(1)>';
    await makeKey(page, name);
    await page.waitForFunction(text => [...document.querySelectorAll('#keys td')].some(cell => cell.textContent === text), name);
    assert.equal(await page.locator('#keys img').count(), 0);
    assert.deepEqual(problems, []);
  },

  async 'another site cannot change anything'() {
    const {context, page} = await newPerson();
    await logIn(page, 'anna', kPassword);
    await page.waitForURL(at('/account'));
    const count = () => page.evaluate(async () => (await (await fetch('api/keys')).json()).keys.length);
    const before = await count();
    const csrf = await page.evaluate(async () => (await (await fetch('api/me')).json()).csrf_token);
    evilPages['/form'] = `<form id=f method=post action="${base}/api/logout" enctype="text/plain"><input name=a value=b></form><script>f.submit()</script>`;
    // This request has no body, so nothing refuses it because of a type.
    evilPages['/logout'] = `<form id=f method=post action="${base}/api/logout"></form><script>f.submit()</script>`;
    evilPages['/login'] = `<form id=f method=post action="${base}/api/login" enctype="text/plain">` +
      `<input name='{"name":"anna","password":"${kPassword}","x":"' value='"}'></form><script>f.submit()</script>`;
    evilPages['/fetch'] = `<script>
      const send = (path, method, headers) => fetch('${base}' + path, {method, headers, credentials: 'include', mode: 'no-cors', body: '{"name":"evil"}'}).catch(() => 0);
      const ask = (path, method, headers) => fetch('${base}' + path, {method, headers, credentials: 'include', body: '{"name":"evil"}'}).catch(() => 0);
      Promise.all([send('/api/keys', 'POST', {'Content-Type': 'text/plain'}), send('/api/logout', 'POST', {}),
                   ask('/api/keys', 'POST', {'Content-Type': 'application/json', 'X-CSRF-Token': '${csrf}'}),
                   ask('/api/me', 'DELETE', {'Content-Type': 'application/json'}),
                   fetch('${base}/api/me', {credentials: 'include'}).then(r => r.text()).then(t => { document.title = 'stolen' }, () => 0)])
        .then(() => { if (!document.title) document.title = 'over'; });
    </script>`;
    for (const origin of evilOrigins) {
      const other = await context.newPage();
      for (const path of ['/form', '/login']) {
        await other.goto(origin + path);
        await other.waitForURL(url => url.href.startsWith(base));
        assert.match(await other.textContent('body'), /"success":false/);
      }
      const answer = other.waitForResponse(base + '/api/logout');
      await other.goto(origin + '/logout');
      const isSameSite = origin === evilOrigins[0];
      // Without the strict cookie the request has no session, which is refused before the guard.
      assert.equal((await answer).status(), isSameSite ? 403 : 401);
      await other.waitForURL(base + '/api/logout');
      assert.equal(await page.evaluate(async () => (await fetch('api/me')).status), 200);
      await other.goto(origin + '/fetch');
      await other.waitForFunction(() => document.title);
      assert.equal(await other.title(), 'over', 'another site reads nothing');
      await other.close();
      assert.equal(await count(), before);
    }
  },

  async 'no other site shows the pages in a frame'() {
    const {context} = await newPerson();
    const other = await context.newPage();
    for (const path of ['/login', '/account', '/admin']) {
      evilPages['/frame'] = `<!doctype html><iframe id=f src="${base}${path}"></iframe>`;
      await other.goto(evilOrigins[0] + '/frame', {waitUntil: 'load'});
      const frame = other.frames().find(one => one.parentFrame());
      await until('the frame is refused', () => frame.url().startsWith('chrome-error:'));
      assert.equal(await frame.locator('form').count(), 0);
    }
  },

  async 'no address sends a person elsewhere'() {
    for (const tail of ['?next=https://evil.example/', '?redirect=//evil.example', '#https://evil.example/']) {
      const {context, page, problems} = await newPerson();
      await logIn(page, 'anna', kPassword, '/login' + tail);
      await page.waitForURL(at('/account'));
      assert.deepEqual(problems, []);
      await context.close();
    }
  },

  async 'an admin manages people and keys, and a user does not'() {
    const user = await newPerson();
    await logIn(user.page, 'anna', kPassword);
    await user.page.waitForURL(at('/account'));
    assert.ok(await user.page.isHidden('#to-admin'));
    await user.page.goto(base + '/admin');
    await message(user.page, /Only an admin/);

    assert.equal((await operate('POST', '/api/users', {name: 'emma', password: kPassword, role: 'admin'})).status, 201);
    const {page, problems} = await newPerson();
    await logIn(page, 'emma', kPassword);
    await page.waitForURL(at('/account'));
    await page.click('#to-admin');
    await page.waitForURL(at('/admin'));
    await page.fill('#add [name=name]', 'otto');
    await page.click('#add button');
    await page.waitForSelector('#secret', {state: 'visible'});
    const password = await page.inputValue('#secret-text');
    const otto = await newPerson();
    await logIn(otto.page, 'otto', password);
    await otto.page.waitForURL(at('/account'));

    const row = page.locator('#people tbody tr', {hasText: 'otto'});
    await row.getByText('Disable').click();
    await row.getByText('Enable').waitFor();
    await otto.page.reload();
    await otto.page.waitForURL(at('/login'));

    await page.fill('#new-key [name=name]', 'of the admin');
    await page.click('#new-key button');
    await page.waitForFunction(() => document.getElementById('secret-text').value.startsWith('yld_'));
    assert.equal(await predict(await page.inputValue('#secret-text')), 200);
    await page.click('#invite button');
    await page.waitForFunction(() => document.getElementById('secret-text').value.startsWith('yli_'));
    await row.getByText('Remove').click();
    await row.waitFor({state: 'detached'});
    assert.deepEqual(problems, []);
  },
};

await runTests(tests, server, browser, async () => {
  await until('the accounts are there', async () => (await operate('GET', '/api/users').catch(() => ({}))).status === 200);
  await until('the model is ready', async () => (await fetch(base + '/readyz')).status === 200);
}, () => evil.close());
