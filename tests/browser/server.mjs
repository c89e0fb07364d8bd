// A server in a folder of its own, for the tests in JavaScript, and waiting for events. A test exits with 77, which ctest
// reports as skipped, if something that it needs is missing.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const kSlowness = Number(process.env.YOLOD_TEST_SLOWNESS || 1);

export function skip(why) {
  console.log('SKIPPED: ' + why);
  process.exit(77);
}

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
    process.on('exit', () => this.process.kill('SIGKILL'));  // also after an error that no test catches
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

// Runs the tests, an object of name: function. Returns how many failed.
export async function runEach(tests) {
  let failed = 0;
  for (const [name, run] of Object.entries(tests)) {
    try {
      await run();
      console.log('passed: ' + name);
    } catch (error) {
      ++failed;
      console.log('FAILED: ' + name + '\n' + error.stack);
    }
  }
  return failed;
}
