// Joins the feed to the host.

import { connect } from "@moult/widget";
import type { Host } from "@moult/widget";

import { createFeed } from "./feed.js";

const host: Host = connect(createFeed(() => host));
