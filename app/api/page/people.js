'use strict';
// The pages /login, /account and /admin. Every text of the server or of a person becomes text, never HTML. Each page
// goes only to fixed addresses. All URLs are relative, because a proxy may serve the pages under a prefix.
(() => {
  const $ = id => document.getElementById(id);
  let csrfToken = '';

  function say(text, bad = false) {
    $('message').textContent = text;
    $('message').classList.toggle('bad', bad);
  }

  // Sends a request. Returns the answer, or null after it has shown the error.
  async function ask(method, path, body) {
    const headers = {};
    if (csrfToken) headers['X-CSRF-Token'] = csrfToken;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const response = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin', cache: 'no-store', redirect: 'error',
    }).catch(() => null);
    if (!response) return say('The server does not answer.', true), null;
    const answer = await response.json().catch(() => null);
    if (answer && answer.success) return answer;
    if (response.status === 401 && page !== 'login') return location.replace('login'), null;
    const wait = response.headers.get('Retry-After');
    const reason = answer && answer.error ? answer.error.message : 'status ' + response.status;
    say('Refused: ' + reason + (wait ? '. Try again in ' + wait + ' s.' : '.'), true);
    return null;
  }

  // Calls `work` with the fields of the form when a person submits it. The button waits until the work is done.
  function onSubmit(id, work) {
    const form = $(id);
    form.addEventListener('submit', async event => {
      event.preventDefault();
      const button = form.querySelector('button');
      if (button.disabled) return;
      button.disabled = true;
      say('');
      try {
        await work(Object.fromEntries(new FormData(form)), form);
      } finally {
        button.disabled = false;
      }
    });
  }

  function onClick(id, work) {
    $(id).addEventListener('click', work);
  }

  const inDays = days => Number(days) ? Math.floor(Date.now() / 1000) + Number(days) * 86400 : 0;
  const date = seconds => seconds ? new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ') : 'never';

  function showSecret(text, hint) {
    if ($('secret-hint')) $('secret-hint').textContent = hint;
    $('secret-text').value = text;
    $('secret').hidden = false;
    $('secret-text').focus();
    $('secret-text').select();
  }

  function secretButtons() {
    onClick('copy', async () => {
      $('secret-text').select();
      // Browsers offer the clipboard only to pages with HTTPS and to pages of the same machine.
      const copied = navigator.clipboard ? await navigator.clipboard.writeText($('secret-text').value).then(() => true, () => false)
                                         : document.execCommand('copy');
      say(copied ? 'Copied.' : 'The browser does not allow to copy; select the text and copy it.', !copied);
    });
    onClick('seen', () => {
      $('secret-text').value = '';
      $('secret').hidden = true;
    });
  }

  function logOutButton() {
    onClick('log-out', async () => {
      if (await ask('POST', 'api/logout')) location.replace('login');
    });
  }

  function button(text, work) {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.addEventListener('click', work);
    return made;
  }

  // Reads all pages of a list.
  async function list(path, name) {
    const all = [];
    for (let after = 0;;) {
      const answer = await ask('GET', path + (path.includes('?') ? '&' : '?') + 'after=' + after);
      if (!answer) return null;
      all.push(...answer[name]);
      if (!answer.more || !answer[name].length) return all;
      after = answer[name][answer[name].length - 1].id;
    }
  }

  async function showKeys(path, withOwner) {
    const keys = await list(path, 'keys');
    if (!keys) return;
    const rows = $('keys').tBodies[0];
    rows.replaceChildren();
    for (const key of keys) {
      const row = rows.insertRow();
      const now = Date.now() / 1000, over = key.revoked || (key.expires && key.expires < now);
      row.classList.toggle('over', Boolean(over));
      const limits = [key.rate && key.rate + '/s', key.in_flight && key.in_flight + ' at once'].filter(Boolean).join(', ');
      for (const cell of [...(withOwner ? [key.owner || '-'] : []), key.name, 'yld_' + key.head + '…' + key.tail,
                          key.scopes.join(' '), limits || '-', date(key.last_used),
                          key.revoked ? 'revoked' : date(key.expires)]) {
        row.insertCell().textContent = cell;
      }
      const place = row.insertCell();
      if (over) continue;
      place.append(button('Revoke', async () => {
        if (!confirm('Revoke the key "' + key.name + '"? Programs that use it are refused at once.')) return;
        if (await ask('DELETE', 'api/keys/' + key.id)) {
          say('The key is revoked.');
          await showKeys(path, withOwner);
        }
      }));
    }
  }

  function loginPage() {
    onSubmit('log-in', async fields => {
      if (await ask('POST', 'api/login', {name: fields.name, password: fields.password})) location.replace('account');
    });
    onSubmit('register', async fields => {
      if (fields.password !== fields.again) return say('The two passwords differ.', true);
      const wanted = {name: fields.name, password: fields.password};
      if (fields.invite) wanted.invite = fields.invite;
      if (!await ask('POST', 'api/register', wanted)) return;
      if (await ask('POST', 'api/login', {name: fields.name, password: fields.password})) location.replace('account');
    });
  }

  // Returns the person, or null if there is no session.
  async function whoAmI() {
    const me = await ask('GET', 'api/me');
    if (me) csrfToken = me.csrf_token || '';
    return me;
  }

  async function accountPage() {
    logOutButton();
    secretButtons();
    const me = await whoAmI();
    if (!me) return;
    $('me').textContent = me.name;
    $('to-admin').hidden = me.role !== 'admin';
    await showKeys('api/keys', false);
    onSubmit('new-key', async (fields, form) => {
      const made = await ask('POST', 'api/keys', {name: fields.name, expires: inDays(fields.days)});
      if (!made) return;
      form.reset();
      showSecret(made.key);
      await showKeys('api/keys', false);
    });
    onSubmit('change', async (fields, form) => {
      if (fields.new_password !== fields.again) return say('The two new passwords differ.', true);
      if (!await ask('POST', 'api/password', {old_password: fields.old_password, new_password: fields.new_password})) return;
      form.reset();
      say('The password is changed.');
    });
    onSubmit('delete', async fields => {
      if (!confirm('Delete the account of ' + me.name + '?')) return;
      if (await ask('DELETE', 'api/me', {password: fields.password})) location.replace('login');
    });
  }

  async function showPeople() {
    const people = await list('api/users', 'users');
    if (!people) return;
    const rows = $('people').tBodies[0];
    rows.replaceChildren();
    for (const person of people) {
      const row = rows.insertRow(), path = 'api/users/' + encodeURIComponent(person.name);
      row.classList.toggle('over', Boolean(person.disabled));
      for (const cell of [person.name, person.role, date(person.created), person.disabled ? 'disabled' : 'active']) {
        row.insertCell().textContent = cell;
      }
      const place = row.insertCell();
      place.append(
        button('New password', async () => {
          if (!confirm('Give ' + person.name + ' a new password? Their sessions end.')) return;
          const answer = await ask('POST', path + '/password');
          if (answer) showSecret(answer.password, 'The new password of ' + person.name + '. It is shown once.');
        }),
        button(person.disabled ? 'Enable' : 'Disable', async () => {
          if (!person.disabled && !confirm('Disable ' + person.name + '? Their sessions end and their keys are revoked for good.')) return;
          if (await ask('PATCH', path, {disabled: !person.disabled})) await showAll();
        }),
        button('Remove', async () => {
          if (!confirm('Remove ' + person.name + ' with all keys?')) return;
          if (await ask('DELETE', path)) await showAll();
        }));
    }
  }

  async function showAll() {
    await showPeople();
    await showKeys('api/keys?all=1', true);
  }

  async function adminPage() {
    logOutButton();
    secretButtons();
    const me = await whoAmI();
    if (!me) return;
    if (me.role !== 'admin') return say('Only an admin may manage people.', true);
    await showAll();
    onSubmit('add', async (fields, form) => {
      const answer = await ask('POST', 'api/users', {name: fields.name, role: fields.role});
      if (!answer) return;
      form.reset();
      showSecret(answer.password, 'The password of ' + fields.name + '. It is shown once.');
      await showPeople();
    });
    onSubmit('invite', async fields => {
      const answer = await ask('POST', 'api/invites', {valid_for: Number(fields.days) * 86400});
      if (answer) showSecret(answer.invite, 'An invitation, valid until ' + date(answer.expires) + '. It is shown once.');
    });
    onSubmit('new-key', async (fields, form) => {
      const wanted = {name: fields.name, scopes: fields.scopes.split(/\s+/).filter(Boolean), rate: Number(fields.rate),
                      in_flight: Number(fields.in_flight), expires: inDays(fields.days)};
      if (fields.owner) wanted.owner = fields.owner;
      const answer = await ask('POST', 'api/keys', wanted);
      if (!answer) return;
      form.reset();
      showSecret(answer.key, 'The new key "' + fields.name + '". It is shown once.');
      await showKeys('api/keys?all=1', true);
    });
  }

  const page = document.body.dataset.page;
  ({login: loginPage, account: accountPage, admin: adminPage})[page]();
})();
