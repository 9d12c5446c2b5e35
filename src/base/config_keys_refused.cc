// Broker keys whose every value but the default is an error, since leaving them out in silence would do harm.
#include "config_keys.h"

namespace millrace {

using namespace config_rows;

namespace {

constexpr std::string_view no_plugins = "Java plug-ins cannot be loaded.";
constexpr std::string_view no_access_control =
    "Access control is not part of this version: leaving it out would open what you meant to close.";
constexpr std::string_view no_providers =
    "Java plug-ins cannot be loaded; give secrets through MILLRACE_ environment variables.";
constexpr std::string_view no_tokens = "Delegation tokens are not part of this version.";
constexpr std::string_view no_tiered_storage = "Tiered storage is not part of this version.";
constexpr std::string_view no_sasl = "SASL is not part of this version.";
constexpr std::string_view no_tls = "TLS is not part of this version.";

constexpr KeyRow rows[] = {
    {"alter.config.policy.class.name", class_name, none, any, fixed, no_plugins},
    {"authorizer.class.name", string, "", any, fixed, no_access_control},
    {"client.quota.callback.class", class_name, none, any, fixed, no_plugins},
    {"config.providers", list, "", any, dynamic, no_providers},
    {"create.topic.policy.class.name", class_name, none, any, fixed, no_plugins},
    {"delegation.token.secret.key", password, none, any, fixed, no_tokens},
    {"principal.builder.class", class_name,
     "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder", any, dynamic, no_plugins},
    {"remote.log.storage.system.enable", boolean, "false", any, fixed, no_tiered_storage},
    {"replica.selector.class", string, none, any, fixed, no_plugins},
    {"sasl.client.callback.handler.class", class_name, none, any, fixed, no_sasl},
    {"sasl.enabled.mechanisms", list, "GSSAPI", any, dynamic, no_sasl},
    {"sasl.jaas.config", password, none, any, dynamic, no_sasl},
    {"sasl.kerberos.kinit.cmd", string, "/usr/bin/kinit", any, dynamic, no_sasl},
    {"sasl.kerberos.min.time.before.relogin", int64, "60000", any, dynamic, no_sasl},
    {"sasl.kerberos.principal.to.local.rules", list, "DEFAULT", any, dynamic, no_sasl},
    {"sasl.kerberos.service.name", string, none, any, dynamic, no_sasl},
    {"sasl.kerberos.ticket.renew.jitter", float64, "0.05", any, dynamic, no_sasl},
    {"sasl.kerberos.ticket.renew.window.factor", float64, "0.8", any, dynamic, no_sasl},
    {"sasl.login.callback.handler.class", class_name, none, any, fixed, no_sasl},
    {"sasl.login.class", class_name, none, any, fixed, no_sasl},
    {"sasl.login.connect.timeout.ms", int32, none, any, fixed, no_sasl},
    {"sasl.login.read.timeout.ms", int32, none, any, fixed, no_sasl},
    {"sasl.login.refresh.buffer.seconds", int16, "300", any, dynamic, no_sasl},
    {"sasl.login.refresh.min.period.seconds", int16, "60", any, dynamic, no_sasl},
    {"sasl.login.refresh.window.factor", float64, "0.8", any, dynamic, no_sasl},
    {"sasl.login.refresh.window.jitter", float64, "0.05", any, dynamic, no_sasl},
    {"sasl.login.retry.backoff.max.ms", int64, "10000", any, fixed, no_sasl},
    {"sasl.login.retry.backoff.ms", int64, "100", any, fixed, no_sasl},
    {"sasl.mechanism.controller.protocol", string, "GSSAPI", any, fixed, no_sasl},
    {"sasl.mechanism.inter.broker.protocol", string, "GSSAPI", any, dynamic, no_sasl},
    {"sasl.oauthbearer.assertion.algorithm", string, "RS256", one_of_ignoring_case("ES256 RS256"), fixed,
     no_sasl},
    {"sasl.oauthbearer.assertion.claim.aud", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.assertion.claim.exp.seconds", int32, "300", between(0, 86400), fixed, no_sasl},
    {"sasl.oauthbearer.assertion.claim.iss", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.assertion.claim.jti.include", boolean, "false", any, fixed, no_sasl},
    {"sasl.oauthbearer.assertion.claim.nbf.seconds", int32, "60", between(0, 3600), fixed, no_sasl},
    {"sasl.oauthbearer.assertion.claim.sub", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.assertion.file", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.assertion.private.key.file", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.assertion.private.key.passphrase", password, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.assertion.template.file", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.client.credentials.client.id", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.client.credentials.client.secret", password, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.clock.skew.seconds", int32, "30", any, fixed, no_sasl},
    {"sasl.oauthbearer.expected.audience", list, "", any, fixed, no_sasl},
    {"sasl.oauthbearer.expected.issuer", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.jwks.endpoint.refresh.ms", int64, "3600000", any, fixed, no_sasl},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", int64, "10000", any, fixed, no_sasl},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", int64, "100", any, fixed, no_sasl},
    {"sasl.oauthbearer.jwks.endpoint.url", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.jwt.retriever.class", class_name,
     "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever", any, fixed, no_sasl},
    {"sasl.oauthbearer.jwt.validator.class", class_name,
     "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator", any, fixed, no_sasl},
    {"sasl.oauthbearer.scope", string, none, any, fixed, no_sasl},
    {"sasl.oauthbearer.scope.claim.name", string, "scope", any, fixed, no_sasl},
    {"sasl.oauthbearer.sub.claim.name", string, "sub", any, fixed, no_sasl},
    {"sasl.oauthbearer.token.endpoint.url", string, none, any, fixed, no_sasl},
    {"sasl.server.callback.handler.class", class_name, none, any, fixed, no_sasl},
    {"sasl.server.max.receive.size", int32, "524288", any, fixed, no_sasl},
    {"security.providers", string, none, any, fixed, no_plugins},
    {"ssl.allow.dn.changes", boolean, "false", any, fixed, no_tls},
    {"ssl.allow.san.changes", boolean, "false", any, fixed, no_tls},
    {"ssl.cipher.suites", list, "", any, dynamic, no_tls},
    {"ssl.client.auth", string, "none", one_of("required requested none"), dynamic, no_tls},
    {"ssl.enabled.protocols", list, "TLSv1.2,TLSv1.3", any, dynamic, no_tls},
    {"ssl.endpoint.identification.algorithm", string, "https", any, dynamic, no_tls},
    {"ssl.engine.factory.class", class_name, none, any, dynamic, no_tls},
    {"ssl.key.password", password, none, any, dynamic, no_tls},
    {"ssl.keymanager.algorithm", string, "SunX509", any, dynamic, no_tls},
    {"ssl.keystore.certificate.chain", password, none, any, dynamic, no_tls},
    {"ssl.keystore.key", password, none, any, dynamic, no_tls},
    {"ssl.keystore.location", string, none, any, dynamic, no_tls},
    {"ssl.keystore.password", password, none, any, dynamic, no_tls},
    {"ssl.keystore.type", string, "JKS", any, dynamic, no_tls},
    {"ssl.principal.mapping.rules", string, "DEFAULT", any, fixed, no_tls},
    {"ssl.protocol", string, "TLSv1.3", any, dynamic, no_tls},
    {"ssl.provider", string, none, any, dynamic, no_tls},
    {"ssl.secure.random.implementation", string, none, any, dynamic, no_tls},
    {"ssl.trustmanager.algorithm", string, "PKIX", any, dynamic, no_tls},
    {"ssl.truststore.certificates", password, none, any, dynamic, no_tls},
    {"ssl.truststore.location", string, none, any, dynamic, no_tls},
    {"ssl.truststore.password", password, none, any, dynamic, no_tls},
    {"ssl.truststore.type", string, "JKS", any, dynamic, no_tls},
};

}  // namespace

std::span<const KeyRow> refused_broker_rows() { return rows; }

}  // namespace millrace
