import assert from "node:assert/strict";
import { browserSpec } from "../../../support/browser_spec.ts";
import {
  dockerTest,
  evaluate,
  testDockerHost,
} from "../../../support/docker.ts";

/** Letters and symbols on pages, by script or set. */
const SAMPLES = {
  Latin: "Aßł",
  Greek: "Ωψ",
  Cyrillic: "Жї",
  Hebrew: "שלם",
  Arabic: "عجپ",
  Hindi: "नमत",
  Bengali: "বলা",
  Tamil: "தமழ",
  Thai: "ไทย",
  Lao: "ລາວ",
  Khmer: "ខមរ",
  Burmese: "မနဗ",
  Georgian: "ქარ",
  Armenian: "Հայ",
  Amharic: "አማር",
  Chinese: "汉語",
  Japanese: "かナ",
  Korean: "한글",
  signs: "✓₹₴₿⇄€→",
  emoji: "😀",
};

/** Two characters that no font contains. */
const MISSING = "\u{10FFFC}\u{10FFFD}";

/** Returns the names of samples with a character that is drawn like `missing`, or not at all. */
function boxes(
  samples: Readonly<Record<string, string>>,
  missing: string,
): readonly string[] {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 60;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const drawn = (text: string) => {
    context.clearRect(0, 0, 60, 60);
    context.font = "32px sans-serif";
    context.fillText(text, 10, 42);
    return context.getImageData(0, 0, 60, 60).data.join();
  };
  const [box, other] = [...missing].map(drawn);
  if (box !== other) throw new Error("the box is not always the same");
  const blank = drawn(" ");
  return Object.entries(samples).filter(([, text]) =>
    [...text].some((each) => [box, blank].includes(drawn(each)))
  ).map(([name]) => name);
}

// The part of `boxes` that runs in the page.
// deno-lint-ignore no-explicit-any -- the types of a page are not loaded
declare const document: any;

dockerTest(
  "the image has fonts for the world's scripts and symbols, and draws no missing glyph",
  async () => {
    await using test = await testDockerHost();
    const { endpoint } = await test.host.start(
      browserSpec(),
      "fonts",
      new AbortController().signal,
    );
    const read = (samples: Readonly<Record<string, string>>) =>
      evaluate(
        endpoint,
        "data:text/html,<meta charset=utf-8>",
        `(${boxes})(${JSON.stringify(samples)}, ${JSON.stringify(MISSING)})`,
      );
    assert.deepEqual(await read({ ...SAMPLES, none: "\u{10FFF0}" }), ["none"]);
  },
);
