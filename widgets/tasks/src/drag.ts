// A row that is dragged by its grip: it follows the pointer, the others make room, and where it is let go is told.
// All by transforms: nothing is moved in the page until then. Knows rows of one height; knows no task.

/** Lets `grip` drag `row` among its siblings. `dropped` is told the new place, if it is another. */
export function draggable(grip: HTMLElement, row: HTMLElement, dropped: (to: number) => void): void {
  grip.addEventListener("pointerdown", (down) => {
    if (down.button !== 0) return;
    down.preventDefault();
    grip.focus({ preventScroll: true });
    grip.setPointerCapture(down.pointerId);
    const rows = [...(row.parentElement?.children ?? [])] as HTMLElement[];
    const from = rows.indexOf(row);
    const height = row.offsetHeight;
    const scroller = row.parentElement;
    const top = scroller?.scrollTop ?? 0;
    let to = from;
    row.classList.add("dragged");

    const follow = (event: PointerEvent): void => {
      const way = event.clientY - down.clientY + (scroller?.scrollTop ?? 0) - top;
      const far = Math.max(-from * height, Math.min((rows.length - 1 - from) * height, way));
      to = placeAfter(from, far, height, rows.length);
      row.style.transform = `translateY(${far}px)`;
      rows.forEach((other, index) => {
        if (other !== row)
          other.style.transform =
            shifted(index, from, to) * height ? `translateY(${shifted(index, from, to) * height}px)` : "";
      });
    };
    const end = (event: Event): void => {
      for (const type of ["pointerup", "pointercancel", "keydown"]) grip.removeEventListener(type, ended);
      grip.removeEventListener("pointermove", follow);
      row.classList.remove("dragged");
      for (const one of rows) one.style.transform = "";
      if (event.type === "pointerup" && to !== from) dropped(to);
    };
    const ended = (event: Event): void => {
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
      }
      end(event);
    };
    grip.addEventListener("pointermove", follow);
    for (const type of ["pointerup", "pointercancel", "keydown"]) grip.addEventListener(type, ended);
  });
}

/** Which place a row has that was moved by `way` px. */
export function placeAfter(from: number, way: number, height: number, count: number): number {
  return Math.max(0, Math.min(count - 1, from + Math.round(way / height)));
}

/** By how many places the row at `index` makes room for one that goes from one place to another: -1, 0 or 1. */
export function shifted(index: number, from: number, to: number): number {
  if (index > from && index <= to) return -1;
  return index < from && index >= to ? 1 : 0;
}
