//! How fast a part is sealed and a body opened: 8 MiB, the size in which bodies are uploaded. Measures no I/O.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onetimeshare_crypto::{
    BodyLayout, BodyOpener, BodySealer, Entry, Kind, Link, LinkKey, LinkKeys, Manifest, Passphrase,
    RootKeys,
};

const CONTENT_LEN: u64 = 8 << 20;

fn keys() -> RootKeys {
    let link = Link::new(LinkKey::from_random([1; 32]), false);
    RootKeys::derive(&link, &LinkKeys::derive(&link), None).expect("it takes no passphrase")
}

fn stream(criterion: &mut Criterion) {
    let keys = keys();
    let content = vec![1; usize::try_from(CONTENT_LEN).expect("8 MiB")];
    let layout = BodyLayout::new(CONTENT_LEN).expect("8 MiB");
    let mut sealer = BodySealer::new(&keys, [2; 16], layout);
    let body = sealer
        .seal_part(0, layout.body_len(), &content)
        .expect("the content is that of the layout");
    let entry = Entry {
        name: "a".to_owned(),
        media_type: String::new(),
        size: CONTENT_LEN,
    };
    let manifest =
        Manifest::new(Kind::Files, vec![entry], &str::to_owned).expect("it breaks no rule");

    let mut group = criterion.benchmark_group("stream");
    group
        .throughput(Throughput::Bytes(CONTENT_LEN))
        .sample_size(20);
    group.bench_function("seal", |bencher| {
        bencher.iter(|| {
            sealer
                .seal_part(0, layout.body_len(), &content)
                .expect("the content did not change")
        });
    });
    group.bench_function("open", |bencher| {
        bencher.iter(|| {
            let mut opener = BodyOpener::new(&keys, &manifest);
            let mut opened = Vec::with_capacity(body.len());
            opener
                .push(&body, &mut opened)
                .expect("it was sealed above");
            opener.finish().expect("it is whole");
            opened
        });
    });
    group.finish();
}

fn passphrase(criterion: &mut Criterion) {
    let link = Link::new(LinkKey::from_random([1; 32]), true);
    let link_keys = LinkKeys::derive(&link);
    let passphrase = Passphrase::new("correct horse", &str::to_owned).expect("short");
    let mut group = criterion.benchmark_group("passphrase");
    group.sample_size(10);
    group.bench_function("derive", |bencher| {
        bencher
            .iter(|| RootKeys::derive(&link, &link_keys, Some(&passphrase)).expect("it takes one"));
    });
    group.finish();
}

criterion_group!(benches, stream, passphrase);
criterion_main!(benches);
