import type { VNode } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { focusKeyboard } from "../input/focus_keyboard.ts";
import {
  type PictureHead,
  type Point,
  toShown,
} from "../connection/picture.ts";
import type { Message, Viewer } from "../connection/viewer.ts";

/** Most pixels that the list takes in height. */
const MAX_HEIGHT = 320;

/** Space below an element from which the list opens there. */
const ENOUGH = 160;

/** Time in which typed letters are one word. */
const WORD_MS = 800;

interface SelectProps {
  readonly viewer: Viewer;
  /** Size of the shown picture. */
  readonly shown: Point;
  readonly head: PictureHead;
}

/** The options of a select element of the page, at its place. Browsers do not show them in pictures. */
export function SelectList(props: SelectProps): VNode | null {
  const select = props.viewer.select.value;
  return select ? <Options key={select.id} select={select} {...props} /> : null;
}

function Options(
  { viewer, select, shown, head }: SelectProps & {
    readonly select: Message<"select">;
  },
): VNode {
  const { options } = select;
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const word = useRef({ text: "", at: 0 });
  const [active, setActive] = useState(select.selected);
  function answer(index: number | null): void {
    viewer.select.value = undefined;
    viewer.send({ type: "select_answer", id: select.id, index });
    focusKeyboard({ opensSoftKeyboard: false });
  }
  function choose(index: number): void {
    if (options[index] && !options[index].is_disabled) answer(index);
  }
  function press(event: KeyboardEvent): void {
    const { key } = event;
    if (key === "Tab") return;
    event.preventDefault();
    if (key === "Escape") answer(null);
    else if (key === "Enter" || key === " ") choose(active);
    else if (key.length === 1) {
      const now = performance.now();
      const text = now - word.current.at > WORD_MS ? "" : word.current.text;
      word.current = { text: text + key.toLowerCase(), at: now };
      setActive(findWord(options, word.current.text, active));
    } else setActive(moveActive(options, active, key));
  }
  useEffect(() => list.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({
      block: "nearest",
    });
  }, [active]);
  return (
    <ul
      ref={list}
      class="live-select"
      role="listbox"
      tabIndex={0}
      aria-label="Options"
      aria-activedescendant={`${id}-${active}`}
      style={placeList(select, shown, head)}
      onKeyDown={press}
      onBlur={() => viewer.select.peek() === select && answer(null)}
    >
      {options.map((option, index) => (
        <li
          key={index}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          aria-disabled={option.is_disabled}
          data-group={startsGroup(options, index) ? option.group : undefined}
          onMouseMove={() => setActive(index)}
          onClick={() => choose(index)}
        >
          {option.text || "\u00a0"}
        </li>
      ))}
    </ul>
  );
}

type OptionList = Message<"select">["options"];

function startsGroup(options: OptionList, index: number): boolean {
  const { group = "" } = options[index] ?? {};
  return group !== "" && options[index - 1]?.group !== group;
}

function placeList(
  { x, y, width, height }: Message<"select">,
  shown: Point,
  head: PictureHead,
): Record<string, string> {
  const begin = toShown({ x, y }, shown, head);
  const end = toShown({ x: x + width, y: y + height }, shown, head);
  const below = shown.y - end.y;
  const isBelow = below >= Math.min(ENOUGH, begin.y);
  const space = isBelow ? below : begin.y;
  return {
    left: `${Math.round(Math.max(0, Math.min(begin.x, shown.x - 160)))}px`,
    minWidth: `${Math.round(Math.max(120, end.x - begin.x))}px`,
    maxHeight: `${Math.round(Math.max(96, Math.min(MAX_HEIGHT, space)))}px`,
    ...isBelow
      ? { top: `${Math.round(end.y)}px` }
      : { bottom: `${Math.round(shown.y - begin.y)}px` },
  };
}

/** Returns the option that a key leads to, without those that cannot be chosen. */
function moveActive(options: OptionList, active: number, key: string): number {
  const enabled = options.flatMap((option, index) =>
    option.is_disabled ? [] : [index]
  );
  switch (key) {
    case "ArrowDown":
      return enabled.find((index) => index > active) ?? active;
    case "ArrowUp":
      return enabled.findLast((index) => index < active) ?? active;
    case "Home":
    case "PageUp":
      return enabled[0] ?? active;
    case "End":
    case "PageDown":
      return enabled.at(-1) ?? active;
  }
  return active;
}

/** Returns the first option after the active one that begins with a word, or the active one. */
function findWord(options: OptionList, word: string, active: number): number {
  const found = options.flatMap((option, index) =>
    !option.is_disabled && option.text.trim().toLowerCase().startsWith(word)
      ? [index]
      : []
  );
  const from = word.length > 1 ? active : active + 1;
  return found.find((index) => index >= from) ?? found[0] ?? active;
}
