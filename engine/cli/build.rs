//! Has the linker fold functions that were compiled to the same code: some 5 % of the release binary.
//!
//! Only where rustc links with its own lld, which is the default of this target: another linker may not
//! know the option.

fn main() {
    println!("cargo::rerun-if-changed=engine/cli/build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let own_flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| !flags.is_empty());
    let own_linker = std::env::var_os("RUSTC_LINKER").is_some();
    let default_linker = is("TARGET", "x86_64-unknown-linux-gnu") && !own_linker && !own_flags;
    if default_linker && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}
