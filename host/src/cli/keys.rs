//! Key files: read, and their passwords asked for.

use std::{env, fs, path::Path};

use registry::{InvalidKey, PrivateKey, PublicKey};

use crate::report::Failure;

/// What cosign takes a key's password from.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// A public key, by the name of its file.
///
/// # Errors
/// It cannot be read, or is something else.
pub(super) fn public(file: &Path) -> Result<(String, PublicKey), Failure> {
    let key = PublicKey::from_pem(&text(file)?).map_err(|error| refused(file, error))?;
    Ok((file.display().to_string(), key))
}

/// A private key.
///
/// # Errors
/// It cannot be read, is something else, or the password is wrong.
pub(super) fn private(file: &Path) -> Result<PrivateKey, Failure> {
    let text = text(file)?;
    let password = match env::var(PASSWORD) {
        _ if !PrivateKey::is_encrypted(&text) => String::new(),
        Ok(password) => password,
        Err(_) => rpassword::prompt_password(format!("Password of `{}`: ", file.display())).map_err(|error| {
            let context = format!("cannot ask for the password of `{}`", file.display());
            Failure::input(anyhow::Error::new(error).context(context)).hint(format!("set `{PASSWORD}`"))
        })?,
    };
    PrivateKey::from_pem(&text, &password).map_err(|error| refused(file, error))
}

fn text(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| {
        let context = format!("cannot read the key `{}`", file.display());
        Failure::input(anyhow::Error::new(error).context(context))
    })
}

fn refused(file: &Path, error: InvalidKey) -> Failure {
    let hint = error.hint();
    Failure::input(format!("cannot use the key `{}`: {error}", file.display())).hint(hint)
}
