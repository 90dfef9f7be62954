//! The API keys of the local platform.

/// The key of the sysadmin of udata; `xtask/server/base_data.py` has the same.
pub const UDATA_ADMIN: &str = "udata_local-admin-0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdef";

/// The key with which udata calls hydra.
pub const HYDRA: &str = "hydra-local-key";
