// Joins the tasks to the host.

import { connect } from "@moult/widget";
import type { Host } from "@moult/widget";

import { createTasks } from "./tasks.js";

const host: Host = connect(createTasks(() => host));
