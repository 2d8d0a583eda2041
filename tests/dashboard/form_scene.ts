import type { Page } from "puppeteer-core";

/** Replaces the text of the field with this path in the API. */
export async function fill(
  page: Page,
  path: string,
  text: string,
): Promise<void> {
  const selector = `.schema-form [name="${path}"]`;
  await page.waitForSelector(selector);
  await open(page, selector);
  await page.$eval(selector, (field) => {
    if (
      field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement
    ) field.select();
  });
  await page.focus(selector);
  if (text === "") await page.keyboard.press("Delete");
  else await page.type(selector, text);
}

/** Chooses a value of the field with this path. */
export async function choose(
  page: Page,
  path: string,
  value: string,
): Promise<void> {
  const selector = `.schema-form [name="${path}"]`;
  await page.waitForSelector(selector);
  await open(page, selector);
  await page.select(selector, value);
}

/** Sends the form. */
export async function submit(page: Page): Promise<void> {
  await page.click(".schema-form button[type=submit]");
}

/** Presses the button or link of the heading with this text, and then the one that confirms in the dialog, if it asks. */
export async function press(
  page: Page,
  text: string,
  { confirm = false } = {},
): Promise<void> {
  await page.locator(`.heading ::-p-text(${text})`).click();
  if (!confirm) return;
  await page.locator("dialog[open] .actions button:last-child").click();
  await page.waitForSelector("dialog[open]", { hidden: true });
}

/** Opens the group of a field. */
async function open(page: Page, selector: string): Promise<void> {
  await page.$eval(selector, (field) => {
    const group = field.closest("details");
    if (group) group.open = true;
  });
}
