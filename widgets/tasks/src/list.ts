// The list: the state, and what adding, ticking, moving, removing and undoing make of it. No clock, no DOM.

/** One thing to do. */
export interface Task {
  /** Names it for ever in this list: rows and the caret are found by it. */
  id: number;
  text: string;
  done: boolean;
}

/** A task that was removed, and where it stood. */
export interface Removed {
  task: Task;
  index: number;
}

/** The state, schema 1. */
export interface List {
  tasks: Task[];
  /** What is typed into the field for a new task. */
  draft: string;
  /** What the last removal took, in the order of the list. Empty once it was taken back or is too long ago. */
  removed: Removed[];
}

export const MAX_TEXT = 500;

/** At most this many: with any texts they fit into the state. */
export const MAX_TASKS = 500;

export const EMPTY: List = { tasks: [], draft: "", removed: [] };

/** Reads state; throws on anything but a list. A task that can't be read is left out, a number that comes twice is made new. */
export function readList(data: unknown): List {
  const { tasks, draft, removed } = (data ?? {}) as Partial<List>;
  if (!Array.isArray(tasks)) throw new TypeError("`tasks` is not a list");
  const read: Task[] = [];
  for (const task of tasks.slice(0, MAX_TASKS)) {
    if (!isTask(task)) continue;
    const taken = read.some((other) => other.id === task.id);
    read.push({
      id: taken ? nextId(tasks.filter(isTask)) + read.length : task.id,
      text: cut(task.text),
      done: task.done,
    });
  }
  const back = (Array.isArray(removed) ? removed : []).filter(
    (one) => Number.isSafeInteger(one?.index) && isTask(one.task) && !read.some(({ id }) => id === one.task.id),
  );
  return { tasks: read, draft: typeof draft === "string" ? cut(draft) : "", removed: back.slice(0, MAX_TASKS) };
}

/** With a new task at the end. An empty text, or one too many, changes nothing. */
export function add(list: List, text: string): List {
  const trimmed = cut(text.trim());
  if (trimmed === "" || list.tasks.length >= MAX_TASKS) return list;
  // A task that can still be taken back keeps its number.
  const id = nextId([...list.tasks, ...list.removed.map(({ task }) => task)]);
  return { ...list, tasks: [...list.tasks, { id, text: trimmed, done: false }], draft: "" };
}

export function tick(list: List, id: number, done: boolean): List {
  return { ...list, tasks: list.tasks.map((task) => (task.id === id ? { ...task, done } : task)) };
}

export function write(list: List, id: number, text: string): List {
  return { ...list, tasks: list.tasks.map((task) => (task.id === id ? { ...task, text: cut(text) } : task)) };
}

/** With the task at another place, counted from 0; beyond the ends is at the end. */
export function move(list: List, id: number, to: number): List {
  const task = list.tasks.find((one) => one.id === id);
  if (!task) return list;
  const tasks = list.tasks.filter((one) => one !== task);
  tasks.splice(Math.max(0, Math.min(tasks.length, to)), 0, task);
  return { ...list, tasks };
}

/** Without these tasks. They can be taken back until the next removal. */
export function remove(list: List, gone: (task: Task) => boolean): List {
  const removed = list.tasks.flatMap((task, index) => (gone(task) ? [{ task, index }] : []));
  if (removed.length === 0) return list;
  return { ...list, tasks: list.tasks.filter((task) => !gone(task)), removed };
}

/** With the removed tasks where they stood. */
export function undo(list: List): List {
  const tasks = [...list.tasks];
  for (const { task, index } of list.removed) tasks.splice(Math.min(index, tasks.length), 0, task);
  return { ...list, tasks, removed: [] };
}

/** The last removal can no longer be taken back. */
export function forget(list: List): List {
  return list.removed.length === 0 ? list : { ...list, removed: [] };
}

export function counts({ tasks }: List): { done: number; all: number } {
  return { done: tasks.filter((task) => task.done).length, all: tasks.length };
}

function nextId(tasks: readonly Task[]): number {
  return tasks.reduce((most, { id }) => Math.max(most, id), 0) + 1;
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT);
}

function isTask(value: unknown): value is Task {
  const task = value as Partial<Task> | null;
  return Number.isSafeInteger(task?.id) && typeof task?.text === "string" && typeof task.done === "boolean";
}
