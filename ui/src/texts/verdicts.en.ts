// Why a version is here or is not, in English, as the rest of a sentence that begins with its number.

import type { Partner, Verdict, VersionRange } from "../host/bindings";
import { momentOf, percent } from "./verdicts";

const part = ({ subject, version }: Partner) => `${NAMES[subject] ?? subject.slice(2)} ${version}`;

const NAMES: Record<string, string> = { app: "Moult", shell: "the shell" };

function range({ from, below }: VersionRange): string {
  if (from && below) return `${from} up to before ${below}`;
  if (from) return `${from} or higher`;
  return below ? `lower than ${below}` : "any version";
}

const because = (reason: string | null) => (reason ? `: ${reason.replace(/\.$/, "")}` : "");

export function verdict(of: Verdict): string {
  switch (of.kind) {
    case "wanted":
      return "is the highest version that can be had.";
    case "wanted_before":
      return `comes first: ${of.towards} can't be reached directly.`;
    case "wanted_downwards":
      return `is wanted, since ${of.running} is not offered on your channel.`;
    case "wanted_pinned":
      return "is the version you pinned.";
    case "wanted_recalled":
      return `takes the place of ${of.from}, which was recalled${because(of.reason)}.`;
    case "wanted_fitting":
      return `works with ${part(of.with)}; what runs does not.`;
    case "wanted_together":
      return `takes over together with ${of.with.map(part).join(" and ")}.`;
    case "runs":
      return "runs here.";
    case "runs_recalled":
      return of.to
        ? `runs here. It was recalled to ${of.to}, which can't be had.`
        : "runs here. It was recalled, and the version to go to is not listed.";
    case "runs_unfit":
      return `runs here, but does not work with ${part(of.with)}.`;
    case "not_on_channel":
      return of.offered.length > 0 ? `is offered on ${of.offered.join(", ")} only.` : "is offered on no channel.";
    case "pinned":
      return `is not taken: you pinned ${of.to}.`;
    case "banned":
      return "failed here and is not tried again.";
    case "skipped":
      return "was skipped by you.";
    case "went_back":
      return `is not taken: you went back to ${of.to}.`;
    case "failed_before":
      return `failed ${of.times} times in a row. The next try is due ${momentOf(of.next, "en")}.`;
    case "outside_wave":
      return of.next
        ? `goes to ${percent(of.share)} of all computers so far, to ${percent(of.next.share)} from ${momentOf(of.next.from, "en")} on. This one has its turn later.`
        : `goes to ${percent(of.share)} of all computers so far, and this one is not among them.`;
    case "outside_limit":
      return `is kept to ${percent(of.limit)} of all computers for now${because(of.reason)}.`;
    case "waves_unreadable":
      return "goes to nobody: its plan can't be read.";
    case "held":
      return `was stopped${because(of.reason)}. Nobody new gets it.`;
    case "recalled":
      return `was recalled${because(of.reason)}.`;
    case "step_first":
      return `can be reached from ${of.from} on. A version between comes first.`;
    case "data_not_read":
      return "can't read what was written since.";
    case "data_lost":
      return "can't read what was written since. A copy would come back, and the rest be lost.";
    case "insecure":
      return `has known holes. The way back ends at ${of.min}.`;
    case "does_not_fit":
      return `needs ${NAMES[of.with.subject] ?? of.with.subject.slice(2)} ${range(of.needs)}; here that is ${of.with.version}.`;
    case "not_fitted":
      return `is not what ${part(of.by)} needs: ${range(of.needs)}.`;
    case "wrong_host":
      return "was not made for this version of Moult.";
    case "unsigned":
      return "has no signature.";
    case "same_version_other_bytes":
      return "has other bytes than the one that runs, under the same number.";
    case "lower":
      return "is lower than what runs.";
    case "surpassed":
      return "could be had, but a higher one can too.";
  }
}
