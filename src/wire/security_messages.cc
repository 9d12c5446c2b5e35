// Codecs of messages: authentication, access rules, tokens and credentials.
#include "millrace/wire/alter_user_scram_credentials.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/create_acls.h"
#include "millrace/wire/create_delegation_token.h"
#include "millrace/wire/delete_acls.h"
#include "millrace/wire/describe_acls.h"
#include "millrace/wire/describe_delegation_token.h"
#include "millrace/wire/describe_user_scram_credentials.h"
#include "millrace/wire/envelope.h"
#include "millrace/wire/expire_delegation_token.h"
#include "millrace/wire/renew_delegation_token.h"
#include "millrace/wire/sasl_authenticate.h"
#include "millrace/wire/sasl_handshake.h"

namespace millrace::wire {

template struct Codec<SaslHandshakeRequest>;
template struct Codec<SaslHandshakeResponse>;
template struct Codec<SaslAuthenticateRequest>;
template struct Codec<SaslAuthenticateResponse>;
template struct Codec<DescribeAclsRequest>;
template struct Codec<DescribeAclsResponse>;
template struct Codec<CreateAclsRequest>;
template struct Codec<CreateAclsResponse>;
template struct Codec<DeleteAclsRequest>;
template struct Codec<DeleteAclsResponse>;
template struct Codec<CreateDelegationTokenRequest>;
template struct Codec<CreateDelegationTokenResponse>;
template struct Codec<RenewDelegationTokenRequest>;
template struct Codec<RenewDelegationTokenResponse>;
template struct Codec<ExpireDelegationTokenRequest>;
template struct Codec<ExpireDelegationTokenResponse>;
template struct Codec<DescribeDelegationTokenRequest>;
template struct Codec<DescribeDelegationTokenResponse>;
template struct Codec<DescribeUserScramCredentialsRequest>;
template struct Codec<DescribeUserScramCredentialsResponse>;
template struct Codec<AlterUserScramCredentialsRequest>;
template struct Codec<AlterUserScramCredentialsResponse>;
template struct Codec<EnvelopeRequest>;
template struct Codec<EnvelopeResponse>;

}  // namespace millrace::wire
