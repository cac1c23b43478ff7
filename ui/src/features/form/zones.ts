// The time zones that there are, as a list to choose from.

interface Zone {
  value: string;
  label: string;
  more: string;
}

/** All zones, the computer's own first; those in `also` are there even if this system does not list them. */
export function zones(own: string, also: string[]): Zone[] {
  const all = new Set([...Intl.supportedValuesOf("timeZone"), "UTC", ...also.filter(Boolean)]);
  return [{ value: "", label: own, more: "" }, ...[...all].sort().map(zone)];
}

function zone(value: string): Zone {
  const parts = value.replaceAll("_", " ").split("/");
  return { value, label: parts.at(-1) ?? value, more: parts.slice(0, -1).join(", ") };
}
