// Joins the Pomodoro to the host.

import { connect } from "@moult/widget";
import type { Host } from "@moult/widget";

import { createPomodoro } from "./pomodoro.js";

const host: Host = connect(createPomodoro(() => host));
