#!/usr/bin/env bash
# Makes a pair with the AWS CLI, as a runbook would: one command after another.
#
#   with_cli.sh ORDER.json WORK
#
# Not for judging what came of it (see state.py).
set -euo pipefail
order=$1 work=$2
source=us-east-1 destination=us-west-2
account=111122223333 name=demo
alias=alias/crrctl/$name role=crrctl-$name-$source
export AWS_PAGER=

# All parts of the order, a file each.
python3 - "$order" "$work" <<'P'
import json, pathlib, sys

def write(path, part):
    text = part if isinstance(part, str) else json.dumps(part)
    pathlib.Path(sys.argv[2], path).write_text(text)
    if isinstance(part, dict):
        for name, inner in part.items():
            write(f"{path}.{name}", inner)

write("part", json.load(open(sys.argv[1])))
P

part() {
    local text
    text=$(<"$work/part.$1")
    printf '%s' "${text//KEY-ID/${key:-KEY-ID}}"
}

bucket() {
    local region=$1 bucket=$name-$account-$1 place=()
    [ "$region" = "$source" ] || place=(--create-bucket-configuration "LocationConstraint=$region")
    aws --region "$region" s3api create-bucket --bucket "$bucket" --object-ownership "$(part "buckets.$region.ownership")" "${place[@]}"
    aws --region "$region" s3api put-public-access-block --bucket "$bucket" \
        --public-access-block-configuration "$(part "buckets.$region.public_access_block")"
    aws --region "$region" s3api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
    aws --region "$region" s3api put-bucket-policy --bucket "$bucket" --policy "$(part "buckets.$region.policy")"
    aws --region "$region" s3api put-bucket-encryption --bucket "$bucket" \
        --server-side-encryption-configuration "$(part "buckets.$region.encryption")"
}

key=$(aws --region $source kms create-key --multi-region --description "$(part keys.$source.description)" \
    --policy "$(part keys.$source.policy)" --query KeyMetadata.KeyId --output text)
aws --region $source kms create-alias --alias-name "$alias" --target-key-id "$key"
aws --region $source kms enable-key-rotation --key-id "$key" --rotation-period-in-days "$(part keys.$source.rotation_days)"
aws --region $source kms replicate-key --key-id "$key" --replica-region $destination \
    --description "$(part keys.$destination.description)" --policy "$(part keys.$destination.policy)"
until [ "$(aws --region $destination kms describe-key --key-id "$key" --query KeyMetadata.KeyState --output text)" = Enabled ]; do
    sleep 1
done
aws --region $destination kms create-alias --alias-name "$alias" --target-key-id "$key"
aws iam create-role --role-name "$role" --path "$(part role.path)" --assume-role-policy-document "$(part role.trust)"
aws iam put-role-policy --role-name "$role" --policy-name "$(part role.policy_name)" --policy-document "$(part role.policy)"
bucket $source
bucket $destination
aws --region $source s3api put-bucket-replication --bucket "$name-$account-$source" \
    --replication-configuration "$(part replication)"
