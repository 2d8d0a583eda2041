import { z } from "zod";

/** Forms of an option whose member is a record of texts, and of one whose member is a list of objects. */
export const RECORD_FORM = 'NAME=VALUE, or JSON such as {"NAME": "VALUE"}';
export const OBJECTS_FORM = 'JSON such as [{"NAME": "VALUE"}]';

/**
 * Returns the value of an option without flags for its member. Reads JSON where the member does not accept text; a
 * list may also be one text with a JSON list, and the members of a record may be `NAME=VALUE`. Text that cannot be
 * read is returned unchanged, and the member's schema rejects it.
 */
export function toStructuredInput(
  member: z.core.$ZodType,
  value: unknown,
): unknown {
  if (typeof value === "string") {
    return z.safeParse(member, value).success
      ? value
      : parseJson(value) ?? value;
  }
  const texts = z.array(z.string()).safeParse(value);
  if (!texts.success) return value;
  return isRecord(member) ? toRecord(texts.data) : toList(member, texts.data);
}

/** Returns the merged members of all texts; a text that is none unchanged. */
function toRecord(texts: readonly string[]): unknown {
  const records = texts.map(parseMembers);
  const wrong = records.indexOf(undefined);
  return wrong < 0 ? Object.assign({}, ...records) : texts[wrong];
}

function parseMembers(text: string): object | undefined {
  const json = parseJson(text);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json;
  }
  const at = text.indexOf("=");
  return at < 1 ? undefined : { [text.slice(0, at)]: text.slice(at + 1) };
}

function toList(
  member: z.core.$ZodType,
  texts: readonly string[],
): readonly unknown[] {
  const [first = ""] = texts;
  const whole = texts.length === 1 ? parseJson(first) : undefined;
  if (Array.isArray(whole)) return whole;
  return z.safeParse(member, texts).success
    ? texts
    : texts.map((text) => parseJson(text) ?? text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(member: unknown): boolean {
  if (member instanceof z.ZodOptional || member instanceof z.ZodDefault) {
    return isRecord(member.unwrap());
  }
  return member instanceof z.ZodRecord;
}
