#!/bin/sh
# The same for reading, with wget.
set -eu
token=$(wget -qO - --post-data 'grant_type=client_credentials&client_id=ci&client_secret=s3cret' \
    https://ims-na1.adobelogin.com/ims/token/v3 | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
wget -qO - --header "authorization: Bearer $token" --header 'x-api-key: ci' \
    --header 'x-gw-ims-org-id: 1234567890ABCDEF12345678@AdobeOrg' \
    https://cloudmanager.adobe.io/api/programs | grep -q 'We.Retail Global'
