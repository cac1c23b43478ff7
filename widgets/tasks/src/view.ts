// What the tasks draw. Rows are kept from one picture to the next, so that a caret stays where it is. Knows no host.

import { draggable } from "./drag.js";
import { counts, MAX_TASKS, MAX_TEXT } from "./list.js";
import type { List, Task } from "./list.js";
import type { Words } from "./words.js";

/** What the user can do. */
export interface Acts {
  add(text: string): void;
  draft(text: string): void;
  tick(id: number, done: boolean): void;
  write(id: number, text: string): void;
  move(id: number, to: number): void;
  remove(id: number): void;
  clear(): void;
  undo(): void;
}

/** The drawn widget. */
export interface View {
  show(list: List): void;
  announce(text: string): void;
  /** Puts the keyboard on the row at this place, or on the field for a new task if there is none. */
  focusRow(index: number): void;
  /** Whether the offer to undo is looked at: pointed at or focused. */
  offerHeld(): boolean;
}

interface Row {
  item: HTMLElement;
  box: HTMLInputElement;
  text: HTMLInputElement;
  grip: HTMLButtonElement;
  remove: HTMLButtonElement;
}

export function createView(parent: HTMLElement, words: Words, acts: Acts): View {
  const list = element("ul", "list");
  list.id = "list";
  list.setAttribute("aria-label", words.list);
  const empty = element("p", "empty");
  empty.textContent = words.empty;

  const foot = element("form", "foot");
  const field = element("input", "field");
  Object.assign(field, { id: "new", maxLength: MAX_TEXT, placeholder: words.add, autocomplete: "off" });
  field.setAttribute("aria-label", words.add);
  field.setAttribute("data-testid", "tasks-new");
  field.enterKeyHint = "done";
  const clear = button("clear", "", () => acts.clear());
  foot.append(icon("plus"), field, clear);

  const offer = element("div", "offer");
  const said = element("p", "said");
  offer.append(
    said,
    button("undo", words.undo, () => acts.undo()),
  );
  const live = element("p", "unseen");
  live.setAttribute("role", "status");
  parent.replaceChildren(list, empty, offer, foot, live);

  const rows = new Map<number, Row>();
  let order: readonly Task[] = [];
  /** The row that Tab leads into: one stop for the whole list, in which arrows go from row to row. */
  let current = 0;

  field.addEventListener("input", () => acts.draft(field.value));
  // A form would be sent, which a sandboxed frame may not do; the key is enough.
  foot.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      acts.add(field.value);
      list.scrollTop = list.scrollHeight;
    } else if (event.key === "ArrowUp" && order.length > 0) {
      event.preventDefault();
      focusRow(order.length - 1);
    }
  });

  return {
    show(next) {
      order = next.tasks;
      for (const [id, row] of rows) {
        if (order.some((task) => task.id === id)) continue;
        row.item.remove();
        rows.delete(id);
      }
      order.forEach((task, index) => {
        const row = rows.get(task.id) ?? createRow(task.id);
        drawRow(row, task);
        if (list.children[index] !== row.item) list.insertBefore(row.item, list.children[index] ?? null);
      });
      const { done, all } = counts(next);
      if (!rows.has(current)) current = order[0]?.id ?? 0;
      rove();
      list.hidden = all === 0;
      empty.hidden = all > 0;
      if (field.value !== next.draft) field.value = next.draft;
      field.disabled = all >= MAX_TASKS;
      field.placeholder = field.disabled ? words.full : words.add;
      clear.hidden = done === 0;
      clear.textContent = words.clear(words.number(done));
      offer.hidden = next.removed.length === 0;
      const [first] = next.removed;
      if (first) {
        const many = next.removed.length > 1;
        said.textContent = many ? words.removedMany(words.number(next.removed.length)) : words.removed(first.task.text);
      }
    },
    announce(text) {
      live.textContent = text;
    },
    focusRow,
    offerHeld: () => offer.matches(":hover, :focus-within"),
  };

  function createRow(id: number): Row {
    const item = element("li", "row");
    const box = element("input", "box");
    box.type = "checkbox";
    box.setAttribute("data-moult-key", `done-${id}`);
    box.addEventListener("change", () => acts.tick(id, box.checked));
    const text = element("input", "text");
    Object.assign(text, { maxLength: MAX_TEXT, autocomplete: "off" });
    text.setAttribute("aria-label", words.text);
    text.setAttribute("data-moult-key", `task-${id}`);
    text.setAttribute("data-testid", "tasks-text");
    text.addEventListener("input", () => acts.write(id, text.value));
    text.addEventListener("blur", () => {
      // A task without a word is none.
      if (text.value.trim() === "") acts.remove(id);
    });
    const grip = button("grip", "", () => undefined);
    grip.setAttribute("data-moult-key", `move-${id}`);
    grip.append(icon("grip"));
    draggable(grip, item, (to) => {
      acts.move(id, to);
      grip.focus({ preventScroll: true });
    });
    const remove = button("remove", "", () => removeAt(id));
    remove.append(icon("cross"));
    item.append(box, text, grip, remove);
    item.addEventListener("focusin", () => {
      current = id;
      rove();
    });
    item.addEventListener("keydown", (event) => keyInRow(event, id, text, grip));
    const row = { item, box, text, grip, remove };
    rows.set(id, row);
    return row;
  }

  function rove(): void {
    for (const [id, { box, text, grip, remove }] of rows) {
      for (const part of [box, text, grip, remove]) part.tabIndex = id === current ? 0 : -1;
    }
  }

  function keyInRow(event: KeyboardEvent, id: number, text: HTMLInputElement, grip: HTMLElement): void {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const index = order.findIndex((task) => task.id === id);
    const way = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    const [inText, target] = [event.target === text, event.target as HTMLElement];
    if (way !== 0 && (event.altKey || target === grip)) {
      acts.move(id, index + way);
      // To move a row takes the focus from it.
      target.focus({ preventScroll: true });
      rows.get(id)?.item.scrollIntoView({ block: "nearest" });
    } else if (event.altKey) {
      return;
    } else if (way !== 0) {
      focusRow(index + way, target.classList[0]);
    } else if (event.key === "Enter" && inText) {
      focusRow(index + 1);
    } else if (event.key === "Delete" && !inText) {
      removeAt(id);
    } else if (event.key === "Backspace" && inText && text.value === "") {
      removeAt(id);
    } else {
      return;
    }
    event.preventDefault();
  }

  function removeAt(id: number): void {
    const index = order.findIndex((task) => task.id === id);
    const within = rows.get(id)?.item.contains(document.activeElement);
    acts.remove(id);
    if (within) focusRow(Math.min(index, order.length - 1));
  }

  function focusRow(index: number, part = "text"): void {
    const task = order[index];
    const row = task && rows.get(task.id);
    const target = row?.item.querySelector<HTMLElement>(`.${part}`) ?? (index < 0 ? null : field);
    target?.focus();
  }

  function drawRow(row: Row, task: Task): void {
    row.item.classList.toggle("done", task.done);
    row.box.checked = task.done;
    if (row.text.value !== task.text) row.text.value = task.text;
    if (row.box.getAttribute("aria-label") === words.done(task.text)) return;
    row.box.setAttribute("aria-label", words.done(task.text));
    row.grip.setAttribute("aria-label", words.grip(task.text));
    row.remove.setAttribute("aria-label", words.remove(task.text));
    row.text.title = task.text;
  }

  function button(name: string, text: string, act: () => void): HTMLButtonElement {
    const made = element("button", name);
    made.type = "button";
    made.textContent = text;
    made.setAttribute("data-testid", `tasks-${name}`);
    made.addEventListener("click", act);
    return made;
  }
}

/** Drawn after Lucide, 16 px with a line of 1.5 px. */
const ICONS = {
  plus: "M5 12h14M12 5v14",
  cross: "M18 6 6 18M6 6l12 12",
  grip: "M5 9h14M5 15h14",
} as const;

function icon(name: keyof typeof ICONS): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  created.className = className;
  return created;
}
