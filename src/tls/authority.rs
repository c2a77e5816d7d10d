//! The emulator's own authority: a root certificate for clients to trust, and an intermediate that
//! signs the certificates of names. Only the intermediate's key is kept. Its certificate permits only
//! a few names, so whoever gets hold of the key can't pose as any other server.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use pki_types::{CertificateDer, ServerName, UnixTime};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PublicKeyData, SanType,
};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;

use super::AuthorityError;
use crate::http::real_names;

const DAY: Duration = Duration::from_hours(24);

/// How long an authority is valid.
const LIFETIME: Duration = Duration::from_hours(24 * 3650);

/// How long the certificate of a name is valid: some clients refuse more than 398 days.
const LEAF_LIFETIME: Duration = Duration::from_hours(24 * 397);

/// The name that every authority permits, with the names below it and the loopback addresses.
pub(super) const LOCALHOST: &str = "localhost";

/// An authority.
pub struct Authority {
    pub(super) root: CertificateDer<'static>,
    pub(super) intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new authority. It permits the real names, this machine, and one further host.
    pub fn make(further: Option<&str>) -> Result<Self, AuthorityError> {
        let (root_key, key) = (KeyPair::generate()?, KeyPair::generate()?);
        let root = authority_params("Cloud Manager emulator root", &root_key, 1);
        let mut intermediate = intermediate_params(&key);
        intermediate.name_constraints = Some(permitted(further));
        intermediate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        intermediate.use_authority_key_identifier_extension = true;
        let root_certificate = root.self_signed(&root_key)?;
        let signed = intermediate.signed_by(&key, &Issuer::new(root, root_key))?;
        Ok(Self::new(root_certificate.der().clone(), signed.der().clone(), key))
    }

    /// Returns an authority of its parts.
    pub(super) fn new(
        root: CertificateDer<'static>,
        intermediate: CertificateDer<'static>,
        key: KeyPair,
    ) -> Self {
        Self { root, intermediate, issuer: Issuer::new(intermediate_params(&key), key) }
    }

    /// Returns the key of the intermediate as PEM.
    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Signs a certificate for a name, and for the loopback addresses if it is `localhost`.
    pub(super) fn sign(
        &self,
        name: &str,
        key: &KeyPair,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        if name == LOCALHOST {
            let addresses = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
            params.subject_alt_names.extend(addresses.map(SanType::IpAddress));
        }
        // A name may be too long for a common name, and clients read only the alternative names.
        params.distinguished_name = named("Cloud Manager emulator");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python 3.13 refuses certificates without it.
        params.use_authority_key_identifier_extension = true;
        let params = valid_for(params, LEAF_LIFETIME);
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }

    /// Returns whether clients accept a certificate of this authority for a name: whether the
    /// authority is valid, and permits the name.
    pub fn check(&self, name: &str) -> Result<(), AuthorityError> {
        let unusable = |error: &dyn std::error::Error| AuthorityError::Unusable(error.to_string());
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).map_err(|error| unusable(&error))?;
        let provider = super::provider();
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let verifier = verifier.build().map_err(|error| unusable(&error))?;
        let leaf = self.sign(name, &KeyPair::generate()?)?;
        let server = ServerName::try_from(name).map_err(|error| unusable(&error))?;
        let chain = std::slice::from_ref(&self.intermediate);
        let now = UnixTime::now();
        let outcome = verifier.verify_server_cert(&leaf, chain, &server, &[], now);
        outcome.map(drop).map_err(|error| unusable(&error))
    }
}

/// Returns the parameters of an authority's certificate. Two authorities never have the same name:
/// some clients would take one for the other.
fn authority_params(role: &str, key: &KeyPair, below: u8) -> CertificateParams {
    let digest = Sha256::digest(key.der_bytes());
    let id = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("{role} {id:08x}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(params, LIFETIME)
}

/// Returns the parameters of the intermediate, as far as they matter for what it signs. They follow
/// from its key, so that the certificate need not be parsed.
fn intermediate_params(key: &KeyPair) -> CertificateParams {
    authority_params("Cloud Manager emulator intermediate", key, 0)
}

fn named(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

fn permitted(further: Option<&str>) -> NameConstraints {
    let names = real_names::ALL.into_iter().chain([LOCALHOST]);
    let mut permitted: Vec<_> = names.map(|name| GeneralSubtree::DnsName(name.into())).collect();
    permitted.push(GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)));
    let loopback = IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]);
    permitted.push(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(loopback, 128)));
    permitted.extend(further.map(|host| match host.parse::<IpAddr>() {
        Ok(ip) => {
            let prefix = if ip.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, prefix))
        }
        Err(_) => GeneralSubtree::DnsName(host.into()),
    }));
    NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() }
}

/// Sets from when to when a certificate is valid. It begins a day ago: clocks differ.
fn valid_for(mut params: CertificateParams, lifetime: Duration) -> CertificateParams {
    let begin = real_time() - DAY;
    params.not_before = begin.into();
    params.not_after = (begin + lifetime).into();
    params
}

#[allow(clippy::disallowed_methods, reason = "clients compare certificates with their own clock")]
fn real_time() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_permits_the_real_names_this_machine_and_one_further_host() {
        let authority = Authority::make(Some("cm.example.com")).unwrap();
        for name in real_names::ALL.into_iter().chain([
            "localhost",
            "cm.localhost",
            "cm.example.com",
            "eu.cloudmanager.adobe.io",
        ]) {
            assert!(authority.check(name).is_ok(), "{name}");
        }
        for name in ["example.com", "adobe.io", "evilcloudmanager.adobe.io", "localhost.evil.com"] {
            assert!(authority.check(name).is_err(), "{name}");
        }
        let other = Authority::make(None).unwrap();
        assert!(other.check("localhost").is_ok() && other.check("cm.example.com").is_err());
    }
}
