/** Maximum length of a name, a method or the id of a CDP session, in bytes. Longer ones are ignored. */
const MAX_TEXT_BYTES = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Finds `id`, `method` and `sessionId` of a CDP command in its JSON, which may arrive in parts of any length. It keeps
 * no other part of the command, and accepts text that is not JSON, in which it may find nothing.
 */
export class CommandScanner {
  #id: number | undefined;
  #method: string | undefined;
  #sessionId: string | undefined;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** True between a colon and a comma of the command's own members. */
  #isValue = false;
  #key: unknown;
  /** Bytes of the string or number that is read, if it is of interest. */
  #text: number[] = [];

  /** The command's number; undefined if it is missing so far or is not an integer. */
  get id(): number | undefined {
    return this.#id;
  }

  /** The command's name; undefined if it is missing so far. */
  get method(): string | undefined {
    return this.#method;
  }

  /** Id of the CDP session that the command is for; undefined if it is missing so far. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Reads the next bytes of the command. */
  read(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#isInString) this.#readInString(byte);
      else this.#readOutside(byte);
    }
  }

  #readInString(byte: number): void {
    const isEnd = byte === QUOTE && !this.#isEscaped;
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
    if (this.#depth === 1) this.#keep(byte);
    if (!isEnd) return;
    this.#isInString = false;
    if (this.#depth === 1) this.#endText();
  }

  #readOutside(byte: number): void {
    if (byte === QUOTE) {
      this.#isInString = true;
      this.#text = [QUOTE];
    } else if (OPENING.has(byte)) this.#depth++;
    else if (CLOSING.has(byte)) {
      if (this.#depth === 1) this.#endMember();
      this.#depth--;
    } else if (this.#depth !== 1) return;
    else if (byte === COLON) this.#isValue = true;
    else if (byte === COMMA) this.#endMember();
    else if (this.#isValue && !SPACES.has(byte)) this.#keep(byte);
  }

  #keep(byte: number): void {
    // One byte more than the maximum marks a text that is too long.
    if (this.#text.length <= MAX_TEXT_BYTES) this.#text.push(byte);
  }

  /** Ends a name, or a value that is a string. */
  #endText(): void {
    const text = this.#takeText();
    if (!this.#isValue) this.#key = text;
    else if (typeof text !== "string") return;
    else if (this.#key === "method") this.#method = text;
    else if (this.#key === "sessionId") this.#sessionId = text;
  }

  #endMember(): void {
    const value = this.#takeText();
    const isId = this.#isValue && this.#key === "id";
    if (isId && Number.isSafeInteger(value)) this.#id = Number(value);
    this.#isValue = false;
    this.#key = undefined;
  }

  /** Returns the value of the text that is kept; undefined if it is too long or no JSON. */
  #takeText(): unknown {
    const text = Uint8Array.from(this.#text);
    this.#text = [];
    if (text.length === 0 || text.length > MAX_TEXT_BYTES) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(text));
    } catch {
      return undefined;
    }
  }
}
