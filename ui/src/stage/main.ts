// Where the stage begins in the application.

import { tauriNative } from "./native";
import { openStage } from "./open";

void openStage(tauriNative());
