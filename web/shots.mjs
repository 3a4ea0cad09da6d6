import { chromium } from 'playwright-core';
const [url, token, out] = process.argv.slice(2);
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const [v, opt] of Object.entries({ d: { viewport: { width: 1280, height: 900 } }, m: { viewport: { width: 375, height: 740 } } })) {
  const ctx = await b.newContext(opt);
  const p = await ctx.newPage();
  p.on('pageerror', e => console.log('PAGE ERROR', e.message));
  p.on('console', m => { if (m.type() === 'error') console.log('CONSOLE', m.text()); });
  await p.goto(`${url}/#token=${token}`);
  await p.waitForTimeout(2500);
  for (const name of ['now', 'runs', 'fleet', 'why', 'what-if']) {
    await p.goto(`${url}/#/${name}`);
    await p.waitForTimeout(2200);
    if (name === 'runs') {
      const boxes = await p.$$('tbody input[type=checkbox]');
      for (const x of boxes.slice(0, 4)) await x.click();
      await (await p.$('tbody button.link')).click();
      await p.waitForTimeout(1500);
    }
    if (name === 'what-if') { await p.click('text=compute'); await p.waitForTimeout(v === 'd' ? 6000 : 1000); }
    await p.screenshot({ path: `${out}/${name}-${v}.png`, fullPage: true });
    console.log(name, v, await p.evaluate(() => [document.documentElement.scrollWidth, innerWidth]));
  }
  await ctx.close();
}
await b.close();
