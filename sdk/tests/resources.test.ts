import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { connect } from "../src/connect.js";
import { fetchAnew } from "../src/resources.js";
import { START, Stage, pause } from "./stage.js";

/** The pictures that are loaded aside: a simulated page loads none by itself. */
let aside: HTMLImageElement[] = [];
let settling = false;

beforeEach(() => {
  document.head.innerHTML = `<base href="https://frame.test/bundle/index.html?load=1">
    <link rel="stylesheet" href="widget.css"><link rel="stylesheet" href="/_moult/other.css">`;
  document.body.innerHTML = `<img src="pictures/a%20b.png?x=1#f"><img src="kept.png"><img src="https://else.test/widget.css">
    <img src="http://[broken"><img src="%E0%A4.png">
    <svg><use href="icons.svg#plus"/></svg>`;
  aside = [];
  settling = false;
  window.addEventListener("error", unlessSettling, true);
  const create = document.createElement.bind(document);
  vi.spyOn(document, "createElement").mockImplementation(((name: string) => {
    const element = create(name);
    if (name === "img") aside.push(element as HTMLImageElement);
    return element;
  }) as typeof document.createElement);
});
afterEach(() => {
  window.removeEventListener("error", unlessSettling, true);
  vi.restoreAllMocks();
});

/** The simulated page fails each sheet at once; here the tests alone say what comes of one. */
function unlessSettling(event: Event): void {
  if (!settling) event.stopImmediatePropagation();
}

function attributes(selector: string, name: string): (string | null)[] {
  return [...document.querySelectorAll(selector)].map((element) => element.getAttribute(name));
}

function settle(type: "load" | "error"): void {
  settling = true;
  for (const link of document.querySelectorAll("link")) link.dispatchEvent(new Event(type));
  for (const image of aside) image.dispatchEvent(new Event(type));
  settling = false;
}

const PATHS = ["widget.css", "pictures/a b.png", "icons.svg", "else.txt"];

test("sheets and pictures among the paths are fetched anew, nothing else is", async () => {
  const done = fetchAnew(document, PATHS, "1.1.0");
  // Both sheets stand while the new one loads, and the pictures are still the old ones.
  expect(attributes("link", "href")).toEqual([
    "widget.css",
    "https://frame.test/bundle/widget.css?v=1.1.0",
    "/_moult/other.css",
  ]);
  expect(attributes("use", "href")).toEqual(["icons.svg#plus"]);
  settle("load");
  await done;
  expect(attributes("link", "href")).toEqual(["https://frame.test/bundle/widget.css?v=1.1.0", "/_moult/other.css"]);
  expect(attributes("img", "src")).toEqual([
    "https://frame.test/bundle/pictures/a%20b.png?x=1&v=1.1.0#f",
    "kept.png",
    "https://else.test/widget.css",
    "http://[broken",
    "%E0%A4.png",
  ]);
  expect(attributes("use", "href")).toEqual(["https://frame.test/bundle/icons.svg?v=1.1.0#plus"]);
});

test("what can't be loaded leaves the old one where it is", async () => {
  const done = fetchAnew(document, PATHS, "1.1.0");
  settle("error");
  await done;
  expect(attributes("link", "href")).toEqual(["widget.css", "/_moult/other.css"]);
  expect(attributes("use", "href")).toEqual(["icons.svg#plus"]);
});

test("a second change replaces the query of the first", async () => {
  for (const version of ["1.1.0", "1.2.0"]) {
    const done = fetchAnew(document, ["widget.css"], version);
    settle("load");
    await done;
  }
  expect(attributes("link", "href")[0]).toBe("https://frame.test/bundle/widget.css?v=1.2.0");
});

test("the widget is told when all is there, and answers meanwhile", async () => {
  const resources = vi.fn();
  connect<null>({ schema: 1, start: () => undefined, snapshot: () => null, resources });
  const stage = new Stage();
  stage.say(START);
  await stage.next("ready");
  stage.say({ kind: "resources", version: "1.1.0", paths: ["widget.css"] });
  await stage.settled();
  expect(resources).not.toHaveBeenCalled();
  settle("load");
  await pause(5);
  await stage.settled();
  expect(resources).toHaveBeenCalledWith(["widget.css"]);
  stage.close();
});
