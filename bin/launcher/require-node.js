"use strict";
// Old syntax on purpose, and required before anything newer is: an old Node must get this far to say what is wrong.

var oldest = 20;
var version = process.versions.node;
if (Number(version.split(".")[0]) < oldest) {
  var wanted = "Node " + oldest + " or newer to start (it then runs on the one that it brings)";
  process.stderr.write("mailkeep: needs " + wanted + "; this is Node " + version + ".\n");
  process.exit(1);
}
