// Where the shell begins: joins its host over the port and draws itself.

import "./shell.css";

import { connectPort } from "../host/port";
import { openShell } from "./open";

openShell(connectPort, document.body);
