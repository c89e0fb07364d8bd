// The tests in a browser share this file: a server in a folder of its own, Debian's Chromium, and waiting for events. A test
// exits with 77, which ctest reports as skipped, if Chromium or playwright-core is missing.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const kChromium = '/usr/bin/chromium';
export const kSlowness = Number(process.env.YOLOD_TEST_SLOWNESS || 1);

function skip(why) {
  console.log('SKIPPED: ' + why);
  process.exit(77);
}

const playwright = await import('playwright-core').catch(() => null);
if (!playwright) skip('playwright-core is not installed (npm ci --prefix tests/browser)');
if (!existsSync(kChromium)) skip("Debian's package chromium is not installed");

export const launchBrowser = (more = []) =>
  playwright.chromium.launch({executablePath: kChromium, args: ['--no-sandbox', ...more]});

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

export async function until(what, holds) {
  const end = Date.now() + 60_000 * kSlowness;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error('in vain: ' + what);
    await sleep(20);
  }
}

// A server with a config of its own. `config` gets the folder and returns the text of system.yaml.
export class Server {
  constructor(programs, config) {
    this.folder = mkdtempSync(join(tmpdir(), 'yolod-pages-'));
    this.logFile = join(this.folder, 'log');
    writeFileSync(join(this.folder, 'system.yaml'), config(this.folder));
    const log = openSync(this.logFile, 'a');
    this.process = spawn(join(programs, 'yolod'), ['--config', join(this.folder, 'system.yaml')],
                         {stdio: ['ignore', log, log], env: {...process.env, RUNTIME_DIRECTORY: this.folder}});
    this.exit = new Promise(resolve => this.process.on('exit', resolve));
  }

  log() {
    return readFileSync(this.logFile, 'utf8');
  }

  // Returns the address of the server once it listens.
  address() {
    return until('the server listens', () => {
      if (this.process.exitCode !== null) throw new Error('the server has ended:\n' + this.log());
      return (/listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(this.log()) || [])[1];
    });
  }

  // Sends a request to the admin socket, as the operator does.
  operate(method, path, body) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = text ? {'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text)} : {};
      const request = http.request({socketPath: join(this.folder, 'admin.sock'), method, path, headers}, response => {
        let answer = '';
        response.on('data', piece => { answer += piece; });
        response.on('end', () => resolve({status: response.statusCode, json: JSON.parse(answer)}));
      });
      request.on('error', reject);
      request.end(text);
    });
  }

  // Stops the server and removes its folder. Returns its exit code.
  async stop() {
    this.process.kill('SIGTERM');
    const code = await this.exit;
    rmSync(this.folder, {recursive: true, force: true});
    return code;
  }
}

// Runs the tests, an object of name: function, once `isReady` has ended. Then it ends everything, prints the server's log
// after a failure, and ends this process with 1 if a test failed.
export async function runTests(tests, server, browser, isReady, end = () => {}) {
  let failed = 0;
  try {
    await isReady();
    for (const [name, run] of Object.entries(tests)) {
      try {
        await run();
        console.log('passed: ' + name);
      } catch (error) {
        ++failed;
        console.log('FAILED: ' + name + '\n' + error.stack);
      }
    }
  } catch (error) {
    ++failed;
    console.log(error.stack);
  } finally {
    await browser.close();
    end();
    const log = server.log();
    await server.stop();
    if (failed) console.log(log);
  }
  process.exit(failed ? 1 : 0);
}
