// Opens each page at each width and scheme, and says what is wrong with it; ends with 1 where anything is.
//   node check.mjs CHROMIUM SCREENSHOTS PAGE...
import { chromium } from "playwright-core";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const [executablePath, folder, ...files] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
let wrong = 0;
for (const file of files) {
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"]) {
      const name = `${basename(file, ".html")}-${width}-${colorScheme}`;
      // The page may run no script: axe must, so it goes around the page's own policy.
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
      const page = await context.newPage();
      const found = [];
      page.on("console", (message) => found.push(`console ${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => found.push(`error: ${error.message}`));
      page.on("request", (request) => {
        const url = request.url();
        if (!url.startsWith("file:") && !url.startsWith("data:")) found.push(`request: ${url}`);
      });
      await page.goto(`file://${file}`);
      // What is folded is looked at too.
      await page.evaluate(() => document.querySelectorAll("details").forEach((it) => { it.open = true; }));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (overflow > 0) found.push(`the page is ${overflow} px wider than the window`);
      // A heading stands over something, and what was written as code is shown as code.
      found.push(...await page.evaluate(() => [...document.querySelectorAll("h2, h3")]
        .map((it) => [it, (it.closest("summary") ?? it).nextElementSibling])
        .filter(([, next]) => !next || /^H[1-3]$/.test(next.tagName))
        .map(([it]) => `nothing under "${it.textContent}"`)));
      const text = await page.evaluate(() => document.body.innerText);
      if (text.includes("`")) found.push(`a literal backtick: ${text.split("\n").find((line) => line.includes("`"))}`);
      for (const fact of ["111122223333", ":root", "crrctl 0."]) {
        if (!text.includes(fact) && !name.startsWith("usage")) found.push(`it does not say ${fact}`);
      }
      await page.screenshot({ path: join(folder, `${name}.png`) });
      await page.addScriptTag({ content: axe });
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const { id, impact, help, nodes } of violations) {
        found.push(`axe ${id} (${impact}): ${help}, ${nodes.length} times, first ${nodes[0].html.slice(0, 160)}`);
      }
      await context.close();
      console.log(`${found.length === 0 ? "ok  " : "BAD "} ${name}`);
      for (const line of found) console.log(`     ${line}`);
      wrong += found.length;
    }
  }
}
await browser.close();
console.log(wrong === 0 ? `all ${files.length} pages are right` : `${wrong} findings`);
process.exit(wrong === 0 ? 0 : 1);
