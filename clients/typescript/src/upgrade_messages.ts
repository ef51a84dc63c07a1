/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Count,
  ModuleLine,
  PublicKey,
  SettingName,
} from "./values.js";

/** From a height on, modules have this code and features begin; the authority signs too. */
export interface UpgradeSchedule {
  readonly "@type": "upgrade.schedule";
  readonly authority: PublicKey;
  readonly height: Count;
  readonly modules?: readonly ModuleLine[];
  readonly features?: readonly SettingName[];
}

/** Take back an upgrade that has not begun; the authority signs it too. */
export interface UpgradeCancel {
  readonly "@type": "upgrade.cancel";
  readonly authority: PublicKey;
  readonly height: Count;
}
