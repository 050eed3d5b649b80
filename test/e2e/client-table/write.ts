// `npm run e2e:clients -- --write`: the run of the clients, which then writes its page of the reference.
process.env["CLIENT_TABLE"] = "write";
await import("./clients.test.ts");
