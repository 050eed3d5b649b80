"use strict";
// Old syntax on purpose, and required before anything newer is: an old Node must get this far to say what is wrong.
/* eslint-disable no-var */

var oldest = 20;
var major = Number(process.versions.node.split(".")[0]);
if (major < oldest) {
  process.stderr.write(
    "mailkeep: needs Node " + oldest + " or newer to start (it then runs on the one it brings); this is Node " +
      process.versions.node + ".\n"
  );
  process.exit(1);
}
