// Files that changed under a page that goes on: linked style sheets and pictures are fetched anew, and the old ones
// stand until the new ones are there. Knows elements and addresses; knows no message, no version's meaning, no widget.

/** Where pictures are named in a page. */
const PICTURES: readonly (readonly [selector: string, attribute: string])[] = [
  ["img[src], input[type=image]", "src"],
  ["image[href], use[href]", "href"],
];

/** What has not come after this long is given up, and the old one stays. Milliseconds. */
const PATIENCE_MS = 5_000;

/** Fetches what the page shows of these paths, which begin at the page's folder. Settles when all are there or given up. */
export async function fetchAnew(document: Document, paths: readonly string[], version: string): Promise<void> {
  const changed = new Set(paths);
  const anew = (address: string): string | null => {
    const path = pathOf(address, document.baseURI);
    if (path === null || !changed.has(path)) return null;
    const url = new URL(address, document.baseURI);
    // The path stays and only the query differs: the browser has the old bytes under the old address.
    url.searchParams.set("v", version);
    return url.href;
  };

  const work: Promise<void>[] = [];
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"][href]')) {
    const address = anew(link.getAttribute("href") ?? "");
    if (address !== null) work.push(replaceSheet(link, address));
  }
  for (const [selector, attribute] of PICTURES) {
    for (const element of document.querySelectorAll(selector)) {
      const address = anew(element.getAttribute(attribute) ?? "");
      if (address !== null) work.push(replacePicture(element, attribute, address));
    }
  }
  await Promise.all(work);
}

/** The path of an address from the page's folder on; null for one that lies elsewhere, or is none. */
function pathOf(address: string, base: string): string | null {
  try {
    const [folder, url] = [new URL(".", base).href, new URL(address, base)];
    const bare = url.href.slice(0, url.href.length - url.search.length - url.hash.length);
    return bare.startsWith(folder) ? decodeURIComponent(bare.slice(folder.length)) : null;
  } catch {
    return null;
  }
}

/** The new sheet stands after the old one until it is loaded; then the old one goes. Both alike at once is no blink. */
async function replaceSheet(link: HTMLLinkElement, address: string): Promise<void> {
  const fresh = link.cloneNode() as HTMLLinkElement;
  const loaded = settled(fresh, "load", "error");
  fresh.setAttribute("href", address);
  link.after(fresh);
  ((await loaded) ? link : fresh).remove();
}

/** The picture is loaded aside, so that the element changes from one whole picture to the other. */
async function replacePicture(element: Element, attribute: string, address: string): Promise<void> {
  const aside = element.ownerDocument.createElement("img");
  const loaded = settled(aside, "load", "error");
  aside.src = address;
  if (await loaded) element.setAttribute(attribute, address);
}

function settled(target: EventTarget, well: string, ill: string): Promise<boolean> {
  return new Promise((resolve) => {
    target.addEventListener(well, () => resolve(true), { once: true });
    target.addEventListener(ill, () => resolve(false), { once: true });
    setTimeout(() => resolve(false), PATIENCE_MS);
  });
}
