// The tests in a browser share this file: Debian's Chromium, and running the tests. A test exits with 77, which ctest reports
// as skipped, if Chromium or playwright-core is missing.
import { existsSync } from 'node:fs';

import { runEach, skip } from './server.mjs';

export { kSlowness, Server, until } from './server.mjs';

const kChromium = '/usr/bin/chromium';

const playwright = await import('playwright-core').catch(() => null);
if (!playwright) skip('playwright-core is not installed (npm ci --prefix tests/browser)');
if (!existsSync(kChromium)) skip("Debian's package chromium is not installed");

export const launchBrowser = (more = []) =>
  playwright.chromium.launch({executablePath: kChromium, args: ['--no-sandbox', ...more]});

// Runs the tests, an object of name: function, once `isReady` has ended. Then it ends everything, prints the server's log
// after a failure, and ends this process with 1 if a test failed.
export async function runTests(tests, server, browser, isReady, end = () => {}) {
  let failed = 0;
  try {
    await isReady();
    failed = await runEach(tests);
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
