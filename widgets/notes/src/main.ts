// Joins the notes to the host.

import { connect } from "@moult/widget";
import type { Host } from "@moult/widget";

import { createNotes } from "./notes.js";

const host: Host = connect(createNotes(() => host));
