// Work that would hold up the page, done in a worker. All frames share one process, so a loop in one stops every tile;
// in a worker it stops nothing, and is ended when its time is up. The worker is made from a blob, the only kind that a
// frame of opaque origin may have. Knows functions and their answers; knows no host and no widget.

/** The work took longer than it may. It was ended; the next begins in a fresh worker. */
export class WorkTimedOut extends Error {
  override readonly name = "WorkTimedOut";
}

/** The work threw. */
export class WorkFailed extends Error {
  override readonly name = "WorkFailed";
}

/** A worker that does one piece of work at a time, in the order asked. */
export interface Work<In, Out> {
  /** Has one piece done. Rejects with {@link WorkTimedOut} or {@link WorkFailed}. */
  ask(input: In): Promise<Out>;
  /** Ends the worker and refuses what waits. */
  end(): void;
}

interface Piece<In, Out> {
  input: In;
  resolve: (output: Out) => void;
  reject: (reason: Error) => void;
}

/** How long one piece may take, in milliseconds. */
export const WORK_LIMIT_MS = 5_000;

/**
 * Prepares a worker; it is started by the first question. `job` is a function that uses nothing but its argument and
 * what every worker has, or the text of a script that defines such a function as `job`. What goes in and out is cloned.
 */
export function work<In, Out>(
  job: ((input: In) => Out | Promise<Out>) | string,
  { limitMs = WORK_LIMIT_MS }: { limitMs?: number } = {},
): Work<In, Out> {
  const pieces: Piece<In, Out>[] = [];
  let worker: Worker | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;

  return {
    ask(input) {
      return new Promise((resolve, reject) => {
        if (ended) return reject(new WorkFailed("The worker was ended."));
        if (pieces.push({ input, resolve, reject }) === 1) begin();
      });
    },
    end() {
      ended = true;
      stop();
      for (const piece of pieces.splice(0)) piece.reject(new WorkFailed("The worker was ended."));
    },
  };

  function begin(): void {
    const piece = pieces[0];
    if (!piece) return;
    try {
      worker ??= start();
      worker.postMessage(piece.input);
      timer = setTimeout(() => {
        stop();
        finish((asked) => asked.reject(new WorkTimedOut(`The work took longer than ${limitMs} ms and was ended.`)));
      }, limitMs);
    } catch (thrown) {
      // Input that can't be cloned, or a browser that refuses the worker.
      finish((asked) => asked.reject(new WorkFailed(String(thrown))));
    }
  }

  function finish(settle: (piece: Piece<In, Out>) => void): void {
    clearTimeout(timer);
    const piece = pieces.shift();
    if (piece) settle(piece);
    begin();
  }

  function start(): Worker {
    const url = URL.createObjectURL(new Blob([scriptOf(job)], { type: "text/javascript" }));
    const started = new Worker(url);
    // The worker has its script once it runs, not as it is made: the address is taken back only then.
    started.onmessage = ({ data }: MessageEvent<["ready"] | ["done", Out] | ["failed", string]>) => {
      if (data[0] === "ready") URL.revokeObjectURL(url);
      else if (data[0] === "done") finish((piece) => piece.resolve(data[1]));
      else finish((piece) => piece.reject(new WorkFailed(data[1])));
    };
    started.onerror = (event) => {
      stop();
      finish((piece) => piece.reject(new WorkFailed(event.message || "The worker could not be started.")));
    };
    return started;
  }

  function stop(): void {
    clearTimeout(timer);
    worker?.terminate();
    worker = null;
  }
}

/** A script that does the job for each message. Nothing is evaluated from text: the policy of the frame forbids it here too. */
function scriptOf(job: ((input: never) => unknown) | string): string {
  return `${typeof job === "string" ? job : `const job = ${job.toString()};`}
onmessage = async ({ data }) => {
  try { postMessage(["done", await job(data)]); }
  catch (thrown) { postMessage(["failed", String((thrown && thrown.message) || thrown)]); }
};
postMessage(["ready"]);
`;
}
