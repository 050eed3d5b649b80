import path from "node:path";
import { until } from "../../test/e2e/harness/wait.ts";
import { ADDRESS, HOST, type GuideServer } from "./servers.ts";
import type { Box, Thunderbird } from "./thunderbird.ts";

/*
 * What a person does in Thunderbird, and the pictures on the way. Words as `hub` and `fill` are those of thunderbird.cfg;
 * elements are found by their ids, so that the same steps hold in every language.
 */

/** Sets up an account with the guide's server, looks at its settings, and deletes what the device may only read. */
export async function connect(thunderbird: Thunderbird, server: GuideServer, folder: string): Promise<void> {
  const take = (name: string, code: string): Promise<void> =>
    takeWhere(thunderbird, code, path.join(folder, `${name}.png`));
  await thunderbird.ask(`trust(${JSON.stringify(server.authority)})`);
  await thunderbird.ask(beginByHand(ADDRESS) + incoming({ host: HOST, port: 995, security: 3 }));
  await take("thunderbird-incoming", DIALOG);
  await thunderbird.ask(`
    (await hub("#forward")).click();
    fill(await hub("#outgoingHostname"), ${JSON.stringify(HOST)});
    fill(await hub("#outgoingConnectionSecurity"), "2", "change");
    fill(await hub("#outgoingAuthMethod"), "3", "change");`);
  await take("thunderbird-outgoing", DIALOG);
  await thunderbird.ask(`
    (await hub("#custom")).click();
    const forward = await hub("#forward");
    await until(() => !forward.disabled);
    forward.click();
    fill(await hub("#password"), ${JSON.stringify(server.password)});
    await until(() => !forward.disabled);
    forward.click();`);
  await thunderbird.ask("await until(() => pop3Server() && inbox().getTotalMessages(false) === 3)");
  await thunderbird.ask(OPEN_SETTINGS);
  await take("thunderbird-settings", partOfSettings("#pop3\\.settings\\.box"));
  await thunderbird.ask(`
    const choice = (await settings()).getElementById("server.socketType");
    fill(choice, "2", "change");`);
  await take("thunderbird-starttls", partOfSettings("#server\\.authMethod"));

  await thunderbird.ask(`
    const [first] = inbox().msgDatabase.enumerateMessages();
    inbox().deleteMessages([first], window().msgWindow, true, false, null, false);
    await until(() => inbox().getTotalMessages(false) === 2);
    lazy.MailServices.pop3.GetNewMail(window().msgWindow, null, inbox(), pop3Server());`);
  await take("thunderbird-no-delete", "return box([(await alert()).documentElement]);");
}

/** Sets up an account with a server that made its own certificate, and asks about it. */
export async function connectUntrusted(thunderbird: Thunderbird, folder: string): Promise<void> {
  const demo = { host: "localhost", port: 1995, security: 3 } as const;
  await thunderbird.ask(beginByHand("demo@example.test") + incoming(demo));
  // It asks whether it may, and waits with that.
  await thunderbird.ask("const link = await hub('#advancedConfigurationIncoming'); setTimeout(() => link.click());");
  await thunderbird.ask("(await alert()).querySelector('dialog').acceptDialog()");
  await thunderbird.ask(`
    const check = (await settings()).getElementById("certCheck");
    check.fetchButton.click();
    await until(() => check.addExceptionButton.checkVisibility());`);
  const file = path.join(folder, "thunderbird-certificate.png");
  await takeWhere(thunderbird, partOfSettings("#server\\.authMethod"), file);
}

/** Takes a picture of what stands somewhere; again where it has moved meanwhile, for letters and texts come late. */
async function takeWhere(thunderbird: Thunderbird, code: string, file: string): Promise<void> {
  await until(`a place that stays, of ${file}`, 60, async () => {
    const box = (await thunderbird.ask(code)) as Box;
    await thunderbird.picture(file, box);
    return JSON.stringify(await thunderbird.ask(code)) === JSON.stringify(box);
  });
}

const OPEN_SETTINGS = `
  window().document.querySelector("account-hub-container").modal.close();
  window().MsgAccountManager("am-server.xhtml", pop3Server());`;

function partOfSettings(last: string): string {
  return `
    const page = await settings();
    page.activeElement?.blur();
    const ends = [".dialogheader-title", "#defaultPort", ${JSON.stringify(last)}];
    return box(ends.map((selector) => page.querySelector(selector)), 12);`;
}

const DIALOG = `
  window().document.activeElement?.blur();
  return box([window().document.querySelector("account-hub-container").modal], -2);`;

function beginByHand(address: string): string {
  return `
    fill(await hub("#realName"), "Alice");
    fill(await hub("#email"), ${JSON.stringify(address)});
    (await hub("#manualConfiguration")).click();`;
}

type Incoming = { readonly host: string; readonly port: number; readonly security: 2 | 3 };

function incoming({ host, port, security }: Incoming): string {
  return `
    fill(await hub("#incomingProtocol"), "2", "change");
    fill(await hub("#incomingHostname"), ${JSON.stringify(host)});
    fill(await hub("#incomingConnectionSecurity"), "${security}", "change");
    fill(await hub("#incomingPort"), "${port}");
    fill(await hub("#incomingAuthMethod"), "3", "change");`;
}
