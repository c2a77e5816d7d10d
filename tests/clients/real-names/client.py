"""A published script in small: the hosts are built in, the emulator is unknown to it.

Its argument is the library that it uses.
"""

import json
import sys
import urllib.parse
import urllib.request

API = "https://cloudmanager.adobe.io"
IMS = "https://ims-na1.adobelogin.com"


def call_urllib(method, url, headers, form=None):
    body = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(request) as response:
        return response.headers, response.read().decode()


def call_requests(method, url, headers, form=None):
    import requests

    response = requests.request(method, url, headers=headers, data=form)
    response.raise_for_status()
    return response.headers, response.text


def main():
    call = {"urllib": call_urllib, "requests": call_requests}[sys.argv[1]]
    form = {"grant_type": "client_credentials", "client_id": "ci", "client_secret": "s3cret"}
    _, token = call("POST", f"{IMS}/ims/token/v3", {}, form)
    headers = {
        "authorization": f"Bearer {json.loads(token)['access_token']}",
        "x-api-key": "ci",
        "x-gw-ims-org-id": "1234567890ABCDEF12345678@AdobeOrg",
    }
    started, _ = call("PUT", f"{API}/api/program/4/pipeline/3/execution", headers)
    location = started["location"]
    assert location.startswith(f"{API}/api/program/4/"), location
    _, execution = call("GET", location, headers)
    steps = json.loads(execution)["_embedded"]["stepStates"]
    build = next(step for step in steps if step["action"] == "build")
    log = build["_links"]["http://ns.adobe.com/adobecloud/rel/pipeline/logs"]["href"]
    _, text = call("GET", urllib.parse.urljoin(API, log), headers)
    assert "BUILD SUCCESS" in text, text


main()
