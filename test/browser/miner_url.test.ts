import { describe, expect, test } from "vitest";
import { hashOf, linkOf, openText } from "../../browser/app/api/link.ts";
import { checkMinerUrl } from "../../browser/app/api/miner_url.ts";
import { thrownBy } from "../fixtures/thrown.ts";

const PAGE = "https://stepwise.example/";
const AT_HOME = "http://192.168.1.7:8091/";

describe("a miner's address out of a link", () => {
  test.each([
    "http://localhost/",
    "http://127.0.0.1:8080/",
    "http://0.0.0.0/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://172.31.255.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[::ffff:192.168.1.1]/",
    "http://router.local/",
    "http://printer.lan/",
    "http://localhost./",
    "http://miner.localhost/",
    "http://router/",
    "http://router./",
    "http://127.0.0.1./",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::7f00:1]/",
    "http://[fec0::1]/",
    "http://[febf::1]/",
    "http://[ff02::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:1::1]/",
    "http://[2001::1]/",
  ])("%s is refused by a page of the open internet", (url) => {
    expect(thrownBy(() => checkMinerUrl(url, PAGE))).toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(/in a private network, and this page is not/),
    });
  });

  test.each([
    ["ftp://miner.example/", "it is not http(s)"],
    ["javascript:alert(1)", "it is not http(s)"],
    ["https://name:word@miner.example/", "it holds a name or password"],
    ["not an address", "it is no address"],
    [`https://miner.example/${"x".repeat(2000)}`, "it is no address"],
  ])("%s: %s", (url, why) => {
    expect(thrownBy(() => checkMinerUrl(url, PAGE))).toMatchObject({
      message: expect.stringContaining(why),
    });
  });

  test("of the open internet is taken, and one of the same private network as the page", () => {
    // Browsers let no https page fetch by http, and the miner may have both.
    expect(checkMinerUrl("http://miner.example:8091/a", PAGE)).toBe(
      "https://miner.example:8091/a/",
    );
    expect(checkMinerUrl("http://miner.example/", "http://stepwise.example/")).toBe(
      "http://miner.example/",
    );
    expect(checkMinerUrl("https://miner.example:8091/a/", PAGE)).toBe(
      "https://miner.example:8091/a/",
    );
    expect(checkMinerUrl("http://203.0.113.7:8091", AT_HOME)).toBe("http://203.0.113.7:8091/");
    expect(checkMinerUrl("http://192.168.1.9:8091/", AT_HOME)).toBe("http://192.168.1.9:8091/");
    expect(checkMinerUrl("http://172.32.0.1/", AT_HOME)).toBe("http://172.32.0.1/");
  });

  test.each([
    "https://172.15.0.1/",
    "https://100.63.0.1/",
    "https://100.128.0.1/",
    "https://198.20.0.1/",
    "https://223.255.0.1/",
    "https://[2a00:1450::1]/",
    "https://[2001:4860:4860::8888]/",
    "https://local.example/",
    "https://localhost.example/",
  ])("%s is of the open internet", (url) => {
    expect(checkMinerUrl(url, PAGE)).toBe(url);
  });

  test("is the folder that the API is in, whatever else the text says", () => {
    for (
      const text of ["https://h.example/a", "https://h.example/a/", "https://h.example/a//?b#c"]
    ) {
      expect(checkMinerUrl(text, PAGE)).toBe("https://h.example/a/");
    }
  });
});

describe("what is pasted", () => {
  const link = {
    ...{ miner: "https://miner.example/a/", id: "ab".repeat(32), token: "t".repeat(43) },
  };

  test("a link of this page, or the miner's own, leads to the same", () => {
    expect(openText(`${PAGE}${hashOf(link)}`, PAGE)).toEqual({ kind: "link", link });
    const own = `https://miner.example/a/v1/generations/${link.id}/steps/3?token=${link.token}`;
    expect(openText(own, PAGE)).toEqual({ kind: "link", link });
  });

  test("a link may name the validator that showed it", () => {
    const known = { ...link, validator: "https://validator.example/" };
    expect(openText(`${PAGE}${hashOf(known)}`, PAGE)).toEqual({ kind: "link", link: known });
    const inside = hashOf({ ...link, validator: "http://10.0.0.1/" });
    expect(thrownBy(() => openText(`${PAGE}${inside}`, PAGE))).toMatchObject({
      message: expect.stringContaining("in a private network"),
    });
  });

  test("an address alone is a list", () => {
    expect(openText(" https://validator.example ", PAGE)).toEqual({
      ...{ kind: "list", url: "https://validator.example/" },
    });
  });

  test("a link with a broken id or token says so", () => {
    const parameters = (more: object) => new URLSearchParams({ ...link, ...more });
    expect(thrownBy(() => linkOf(parameters({ id: "xyz" }), PAGE))).toMatchObject({
      message: "Cannot open the link: its id is not 64 hexadecimal digits",
    });
    expect(thrownBy(() => linkOf(parameters({ token: "<script>" }), PAGE))).toMatchObject({
      message: "Cannot open the link: its token is not one that a miner gives",
    });
  });
});
