import { expect, test } from "../fixtures.ts";
import { open, ready } from "../support/pages.ts";
import { seedMinutes } from "../support/seed.ts";

test.use({ trace: "off" });

const CHANGES = process.env.WAW_TEST_LONG ? 200 : 64;
/** What is loaded once is loaded by then. */
const WARM = process.env.WAW_TEST_LONG ? 80 : 24;
const PAGES = ["History", "Check in", "Attendance log", "Analytics", "Badges", "Team", "Account", "Home"];

test(`memory is flat over ${CHANGES} changes of page`, async ({ page, context, member }) => {
  test.setTimeout(180_000);
  await seedMinutes(member);
  const browser = await context.newCDPSession(page);
  const heap = async () => {
    await browser.send("HeapProfiler.collectGarbage");
    const [{ usedSize }, { nodes }] = [await browser.send("Runtime.getHeapUsage"), await browser.send("Memory.getDOMCounters")];
    return { mb: usedSize / 2 ** 20, nodes };
  };
  const walk = async (changes: number) => {
    for (let n = 0; n < changes; n += 1) {
      await page.getByRole("link", { name: PAGES[n % PAGES.length]!, exact: true }).first().click();
      await ready(page);
    }
  };
  await open(page, "/");
  await walk(WARM);
  const early = await heap();
  await walk(CHANGES - WARM);
  const late = await heap();
  const words = ({ mb, nodes }: typeof early) => `${mb.toFixed(1)} MB of script, ${nodes} nodes`;
  process.stdout.write(`memory after ${WARM} changes of page: ${words(early)}; after ${CHANGES}: ${words(late)}\n`);
  expect(late.mb).toBeLessThan(early.mb * 1.2);
  expect(late.nodes).toBeLessThan(early.nodes * 1.1);
});
