//! Uploads of images: avatars, logos, banners.

use std::fmt;

use crate::{Error, File, Result};

/// An image to upload, and optionally the part of it to use.
///
/// ```
/// # fn main() -> datagouv::Result<()> {
/// use datagouv::File;
/// use datagouv::files::{CropBox, Image};
///
/// let logo = File::from_bytes("logo.png", &b"..."[..]);
/// let image = Image::new(logo).crop(CropBox::new(0, 0, 200, 200)?);
/// # let _ = image;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Image {
    file: File,
    crop: Option<CropBox>,
}

/// A rectangle of an image, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CropBox {
    left: u32,
    upper: u32,
    right: u32,
    lower: u32,
}

impl CropBox {
    /// Creates a rectangle from its edges; `right` and `lower` are exclusive. The server checks that it lies within the
    /// image.
    ///
    /// # Errors
    ///
    /// Returns an error if the rectangle is empty.
    pub fn new(left: u32, upper: u32, right: u32, lower: u32) -> Result<Self> {
        let crop = Self { left, upper, right, lower };
        if left < right && upper < lower {
            Ok(crop)
        } else {
            Err(Error::request(format!("the crop box {crop} (left, upper, right, lower) is empty")))
        }
    }
}

impl fmt::Display for CropBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.left, self.upper, self.right, self.lower)
    }
}

impl Image {
    /// Creates an image from a file: PNG, JPEG or WebP.
    pub fn new(file: File) -> Self {
        Self { file, crop: None }
    }

    /// Sets the part to use. Default: the whole image.
    pub fn crop(mut self, crop: CropBox) -> Self {
        self.crop = Some(crop);
        self
    }
}

impl From<File> for Image {
    fn from(file: File) -> Self {
        Self::new(file)
    }
}

/// The forms that upload an image, which have the same fields.
macro_rules! forms {
    ($($feature:literal: $($form:ident),+;)*) => {$($(
        #[cfg(feature = $feature)]
        impl From<Image> for crate::main::types::$form {
            fn from(image: Image) -> Self {
                let form = Self::new(image.file);
                match image.crop {
                    Some(crop) => form.bbox(crop.to_string()),
                    None => form,
                }
            }
        }
    )+)*};
}

forms! {
    "main-me": MyAvatarForm;
    "main-organizations": OrganizationLogoForm, ResizeOrganizationLogoForm, OrganizationBannerUploadForm;
    "main-posts": PostImageForm, ResizePostImageForm;
    "main-reuses": ReuseImageForm;
    "main-users": UserAvatarForm;
    "main-visualizations": VisualizationImageForm;
}

#[cfg(feature = "main-me")]
impl crate::objects::MeHandle {
    /// Replaces the avatar of the holder of the API key (`my_avatar`), and returns its URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses the image, or no response arrives.
    pub async fn set_avatar(&self, image: impl Into<Image>) -> Result<String> {
        let response = self.client.main().my_avatar().body(image.into()).send().await?;
        Ok(response.into_inner().image)
    }
}

#[cfg(feature = "main-users")]
impl crate::objects::UserHandle {
    /// Replaces the avatar of the user (`user_avatar`), for administrators, and returns its URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses the image, or no response arrives.
    pub async fn set_avatar(&self, image: impl Into<Image>) -> Result<String> {
        let response = self.client.main().user_avatar().user(&self.id).body(image.into()).send().await?;
        Ok(response.into_inner().image)
    }
}

#[cfg(feature = "main-organizations")]
impl crate::objects::OrganizationHandle {
    /// Replaces the logo of the organization (`organization_logo`), and returns its URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses the image, or no response arrives.
    pub async fn set_logo(&self, image: impl Into<Image>) -> Result<String> {
        let response = self.client.main().organization_logo().org(&self.id).body(image.into()).send().await?;
        Ok(response.into_inner().image)
    }

    /// Replaces the banner of the organization (`organization_banner_upload`), and returns its URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses the image, or no response arrives.
    pub async fn set_banner(&self, image: impl Into<Image>) -> Result<String> {
        let response = self.client.main().organization_banner_upload().org(&self.id).body(image.into()).send().await?;
        Ok(response.into_inner().image)
    }
}

#[cfg(feature = "main-reuses")]
impl crate::objects::ReuseHandle {
    /// Replaces the image of the reuse (`reuse_image`), and returns its URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses the image, or no response arrives.
    pub async fn set_image(&self, image: impl Into<Image>) -> Result<String> {
        let response = self.client.main().reuse_image().reuse(&self.id).body(image.into()).send().await?;
        Ok(response.into_inner().image)
    }
}
