/** What a trial prints when it has started: each command is whole, to be pasted as it is. */

/**
 * @param url where the appliance listens, without a path
 * @param setup the code for the first run of the panel; undefined when there is a user already
 */
export function trialBanner(url: string, token: string, setup: string | undefined): string {
  const api = `${url}/api/v1`
  const authorization = `-H 'Authorization: Bearer ${token}'`
  const message = JSON.stringify({ to: ['+4915112345678'], text: 'Hello from twinline' })
  // The id is the third quoted word of the newest message: cut is everywhere, jq is not.
  const newest = `$(curl -s ${authorization} '${api}/messages?limit=1' | cut -d'"' -f6)`
  return `
twinline runs, with one simulated modem (nothing really goes out).

  Panel  ${url}${setup === undefined ? '' : `  (setup code ${setup})`}
  API    ${api}
  Docs   ${url}/docs
  Token  ${token}

Send a message:

curl -s ${authorization} -H 'Content-Type: application/json' -d '${message}' ${api}/messages

See what became of it (three seconds later it is delivered):

curl -s ${authorization} "${api}/messages/${newest}"

Ctrl-C stops it. What it keeps is in .twinline/; with a real modem: twinline run --config FILE (see README.md).

`
}
