//! Files sent to datasets: whole, in parts, from bytes, paths and readers.

use datagouv::File;
use datagouv::files::{CropBox, Image, RemoteFile};
use datagouv::main::types::{
    UploadCommunityResourceForm, UploadDatasetResourceForm, UploadNewCommunityResourceForm,
    UploadNewDatasetResourceForm, UploadResponse,
};

use crate::run;
use crate::support::{csv, dataset, png, unique};

const ROWS: &str = "code;nom\n01001;L'Abergement\n01002;Ambérieu\n";

/// A name that no other file of this run has.
fn name(extension: &str) -> String {
    format!("{}.{extension}", unique("fichier").replace(' ', "-"))
}

#[test]
fn bytes_become_a_resource_served_at_its_permanent_link() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let file = File::from_bytes(name("csv"), ROWS).with_content_type("text/csv");
        let form = UploadNewDatasetResourceForm::new().file(file.clone());
        let response = client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send().await.unwrap();
        assert_eq!(response.status(), 201);
        assert!(response.success);
        assert_eq!((response.title.as_deref(), response.format.as_deref()), (Some(file.name()), Some("csv")));
        assert_eq!(response.filesize, Some(ROWS.len() as i64));
        assert_eq!(response.filetype.as_ref().unwrap().as_str(), "file");
        let checksum = response.checksum.as_ref().unwrap();
        assert_eq!((checksum.type_.as_str(), checksum.value.len()), ("sha1", 40));

        let id = response.id.clone().unwrap();
        let read = client.main().get_resource().dataset(&made.id).rid(&id).send().await.unwrap();
        assert_eq!((Some(&read.url), read.checksum.as_ref()), (response.url.as_ref(), Some(checksum)));
        let file = live.anonymous().main().redirect_resource().id(&id).send().await;
        // In production, files have another host; this server serves them itself.
        match file {
            Ok(file) => assert_eq!(file.into_inner().text().await.unwrap(), ROWS),
            Err(error) => assert!(error.is_not_found(), "{error}"),
        }
    });
}

#[test]
fn a_local_file_is_sent_unchanged() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let folder = std::env::temp_dir().join(unique("datagouv"));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("données été «1».csv");
        let content = ROWS.repeat(20_000);
        std::fs::write(&path, &content).unwrap();
        let file = File::from_path(&path).await.unwrap();
        let form = UploadNewDatasetResourceForm::new().file(file);
        let response = client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send().await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(response.filesize, Some(content.len() as i64));
        assert_eq!(response.title.as_deref(), Some("donnees-ete-1-.csv"));
    });
}

#[test]
fn a_reader_is_sent_once_to_its_end() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let file = File::from_reader(name("csv"), ROWS.len() as u64, std::io::Cursor::new(ROWS));
        let send = || {
            let form = UploadNewDatasetResourceForm::new().file(file.clone());
            client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send()
        };
        assert_eq!(send().await.unwrap().filesize, Some(ROWS.len() as i64));
        let error = send().await.unwrap_err();
        assert!(error.is_request(), "{error}");
    });
}

#[test]
fn an_empty_file_is_accepted() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let form = UploadNewDatasetResourceForm::new().file(File::from_bytes(name("csv"), ""));
        let response = client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send().await.unwrap();
        assert_eq!((response.success, response.filesize.unwrap_or_default()), (true, 0));
    });
}

#[test]
fn an_image_is_accepted() {
    run(|live| async move {
        let client = live.user();
        let (made, image) = (dataset(&client).await, png(3, 2).with_name(name("png")).with_content_type("image/png"));
        let form = UploadNewDatasetResourceForm::new().file(image.clone());
        let response = client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send().await.unwrap();
        assert_eq!((response.format.as_deref(), response.mime.as_deref()), (Some("png"), Some("image/png")));
        assert_eq!(response.filesize, Some(image.len() as i64));
    });
}

#[test]
fn a_new_file_replaces_that_of_a_resource() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let form = UploadNewDatasetResourceForm::new().file(csv());
        let first = client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send().await.unwrap();
        let id = first.id.clone().unwrap();
        let form = UploadDatasetResourceForm::new().file(File::from_bytes(name("json"), "[1, 2, 3]"));
        let second =
            client.main().upload_dataset_resource().dataset(&made.id).rid(&id).body(form).send().await.unwrap();
        assert_eq!((second.status().as_u16(), second.id.as_ref()), (200, Some(&id)));
        assert_eq!((second.format.as_deref(), second.filesize), (Some("json"), Some(9)));
        assert_ne!((&second.url, &second.checksum), (&first.url, &first.checksum));
        let read = client.main().get_dataset().dataset(&made.id).send().await.unwrap();
        assert_eq!(read.resources.len(), 1);
    });
}

#[test]
fn the_final_request_assembles_the_parts() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let content = ROWS.repeat(50);
        let parts: Vec<&[u8]> = content.as_bytes().chunks(content.len() / 3 + 1).collect();
        assert_eq!(parts.len(), 3);
        let (name, uuid) = (name("csv"), unique("part").replace(' ', "-"));
        let form = || UploadNewDatasetResourceForm::new().uuid(&uuid).filename(&name).totalparts(parts.len() as i64);
        let send = |form: UploadNewDatasetResourceForm| {
            client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send()
        };
        for (index, part) in parts.iter().enumerate() {
            let part_form = form()
                .partindex(index as i64)
                .chunksize(part.len() as i64)
                .file(File::from_bytes("blob", part.to_vec()));
            let response = send(part_form).await.unwrap();
            assert_eq!(response.status(), 200);
            let expected = (true, None, Some(""));
            assert_eq!((response.success, response.error.as_deref(), response.message.as_deref()), expected);
            assert!(response.id.is_none());
        }
        let response = send(form()).await.unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!((response.title.as_ref(), response.filesize), (Some(&name), Some(content.len() as i64)));
    });
}

#[test]
fn parts_replace_the_file_of_a_resource() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let form = UploadNewDatasetResourceForm::new().file(csv());
        let first = client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send().await.unwrap();
        let id = first.id.clone().unwrap();
        let (name, uuid) = (name("csv"), unique("part").replace(' ', "-"));
        let form = || UploadDatasetResourceForm::new().uuid(&uuid).filename(&name).totalparts(2);
        let send = |form| client.main().upload_dataset_resource().dataset(&made.id).rid(&id).body(form).send();
        for index in 0..2 {
            let part = form().partindex(index).chunksize(5).file(File::from_bytes("blob", "a;b\n1"));
            assert!(send(part).await.unwrap().success);
        }
        let response = send(form()).await.unwrap();
        assert_eq!((response.id.as_ref(), response.filesize), (Some(&id), Some(10)));
    });
}

#[test]
fn a_part_of_another_size_than_declared_is_refused() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let form = UploadNewDatasetResourceForm::new()
            .uuid(unique("part").replace(' ', "-"))
            .filename(name("csv"))
            .partindex(0)
            .totalparts(2)
            .chunksize(99)
            .file(File::from_bytes("blob", "a;b\n"));
        let error = client.main().upload_new_dataset_resource().dataset(&made.id).body(form).send().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 400);
        assert_eq!(error.server_message().as_deref(), Some("Chunk size mismatch"));
    });
}

#[test]
fn missing_files_and_forbidden_extensions_are_refused() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let send = |client: datagouv::Client, form: UploadNewDatasetResourceForm| {
            let id = made.id.clone();
            async move { client.main().upload_new_dataset_resource().dataset(id).body(form).send().await.unwrap_err() }
        };
        let error = send(client.clone(), UploadNewDatasetResourceForm::new()).await;
        assert_eq!(error.status().unwrap(), 400);
        assert_eq!(error.server_message().as_deref(), Some("Missing file parameter"));
        for file in [name("exe"), "sans-extension".to_owned()] {
            let form = UploadNewDatasetResourceForm::new().file(File::from_bytes(file, "MZ"));
            let error = send(client.clone(), form).await;
            assert_eq!(error.status().unwrap(), 400);
            assert!(error.server_message().unwrap().starts_with("This file type is not allowed"), "{error}");
        }
        let error = send(live.plain(), UploadNewDatasetResourceForm::new().file(csv())).await;
        assert!(error.is_forbidden(), "{error}");
        let error = send(live.anonymous(), UploadNewDatasetResourceForm::new().file(csv())).await;
        assert!(error.is_unauthorized(), "{error}");
    });
}

#[test]
fn files_of_community_resources_are_sent_and_replaced() {
    run(|live| async move {
        let (client, made) = (live.plain(), dataset(&live.user()).await);
        let form = UploadNewCommunityResourceForm::new().file(csv());
        let first = client.main().upload_new_community_resource().dataset(&made.id).body(form).send().await.unwrap();
        assert_eq!((first.status().as_u16(), first.success), (201, true));
        assert_eq!(first.dataset.as_ref().unwrap().id, made.id);
        assert_eq!(first.owner.as_ref().unwrap().first_name, "Carol");
        let id = first.id.clone().unwrap();
        let replace = |client: datagouv::Client| {
            let form = UploadCommunityResourceForm::new().file(File::from_bytes(name("json"), "{}"));
            let id = id.clone();
            async move { client.main().upload_community_resource().community(id).body(form).send().await }
        };
        let second = replace(client).await.unwrap();
        assert_eq!(
            (second.status().as_u16(), second.id.as_ref(), second.format.as_deref()),
            (200, Some(&id), Some("json"))
        );
        assert!(replace(live.user()).await.unwrap_err().is_forbidden());
    });
}

#[test]
fn files_of_community_resources_are_sent_in_parts() {
    run(|live| async move {
        let (client, made) = (live.plain(), dataset(&live.user()).await);
        let (first, uuid) = (name("csv"), unique("part").replace(' ', "-"));
        let form = || UploadNewCommunityResourceForm::new().uuid(&uuid).filename(&first).totalparts(2);
        let send = |form| client.main().upload_new_community_resource().dataset(&made.id).body(form).send();
        for index in 0..2 {
            let part = form().partindex(index).chunksize(4).file(File::from_bytes("blob", "a;b\n"));
            let response = send(part).await.unwrap();
            assert!(response.success && response.id.is_none());
        }
        let whole = send(form()).await.unwrap();
        assert_eq!((whole.title.as_ref(), whole.filesize), (Some(&first), Some(8)));

        let (id, second) = (whole.id.clone().unwrap(), name("csv"));
        let uuid = unique("part").replace(' ', "-");
        let form = || UploadCommunityResourceForm::new().uuid(&uuid).filename(&second).totalparts(2);
        let send = |form| client.main().upload_community_resource().community(&id).body(form).send();
        for index in 0..2 {
            let part = form().partindex(index).chunksize(5).file(File::from_bytes("blob", "a;b;c"));
            assert!(send(part).await.unwrap().success);
        }
        assert_eq!(send(form()).await.unwrap().filesize, Some(10));
    });
}

#[test]
fn concurrent_uploads_are_independent() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let send = |content: &'static str| {
            let form = UploadNewDatasetResourceForm::new().file(File::from_bytes(name("csv"), content));
            let (client, id) = (client.clone(), made.id.clone());
            tokio::spawn(async move {
                let response = client.main().upload_new_dataset_resource().dataset(id).body(form).send().await;
                response.unwrap().into_inner()
            })
        };
        let sent = [send("a"), send("a;b"), send("a;b;c")];
        let mut sizes = Vec::new();
        for response in sent {
            let UploadResponse { filesize, .. } = response.await.unwrap();
            sizes.push(filesize.unwrap());
        }
        assert_eq!(sizes, [1, 3, 5]);
    });
}

/// Some lines, longer than several parts.
fn long() -> String {
    ROWS.repeat(2_000)
}

#[test]
fn a_large_file_is_split_and_assembled() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let (content, name) = (long(), name("csv"));
        let upload = client.dataset(&made.id).upload(File::from_bytes(&name, content.clone()));
        let response = upload.parts_above(0).part_size(10_000).concurrency(4).send().await.unwrap();
        assert_eq!((&response.title, response.filesize), (&name, Some(content.len() as i64)));
        match client.file(RemoteFile::new(&response.url)).bytes(content.len()).await {
            Ok(bytes) => assert!(bytes == content),
            Err(error) => assert!(error.is_not_found(), "{error}"),
        }
        // The same for an existing resource, by its id alone.
        let id = response.id;
        let upload = client.resource(&id).upload(File::from_bytes(name, ROWS));
        let response = upload.parts_above(0).part_size(20).send().await.unwrap();
        assert_eq!((response.id, response.filesize), (id, Some(ROWS.len() as i64)));
    });
}

#[test]
fn parts_that_the_server_has_are_recognised() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let (content, name) = (long(), name("csv"));
        let upload = || client.dataset(&made.id).upload(File::from_bytes(&name, content.clone())).part_size(30_000);
        let uuid = upload().uuid().to_owned();
        let first = UploadNewDatasetResourceForm::new()
            .uuid(&uuid)
            .filename(&name)
            .totalparts(content.len().div_ceil(30_000) as i64)
            .partindex(1)
            .chunksize(30_000)
            .file(File::from_bytes("blob", content.as_bytes()[30_000..60_000].to_vec()));
        let response = client.main().upload_new_dataset_resource().dataset(&made.id).body(first).send().await.unwrap();
        assert!(response.success);
        let response = upload().resume(&uuid).parts_above(0).send().await.unwrap();
        assert_eq!(response.filesize, Some(content.len() as i64));
    });
}

#[test]
fn a_community_resource_is_uploaded_and_replaced() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let content = long();
        let file = || File::from_bytes(name("csv"), content.clone());
        let response = client.dataset(&made.id).upload_community(file()).send().await.unwrap();
        assert_eq!(response.filesize, Some(content.len() as i64));
        let handle = client.community_resource(response.id);
        let response = handle.upload(file()).parts_above(0).part_size(50_000).send().await.unwrap();
        assert_eq!(response.filesize, Some(content.len() as i64));
    });
}

#[test]
fn an_avatar_is_cropped_from_an_image() {
    run(|live| async move {
        let crop = CropBox::new(1, 0, 5, 4).unwrap();
        let url = live.user().me().set_avatar(Image::new(png(8, 6)).crop(crop)).await.unwrap();
        assert!(url.starts_with("http"), "{url}");
        let beyond = CropBox::new(0, 0, 9, 9).unwrap();
        let error = live.user().me().set_avatar(Image::new(png(8, 6)).crop(beyond)).await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    });
}

#[test]
fn files_of_the_same_name_within_a_second_are_all_stored() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let target = client.dataset(&made.id);
        let name = name("csv");
        // The second file finds its name in use, unless a second ends between them.
        for round in 0..3 {
            let send = |rows: String| target.upload(File::from_bytes(&name, rows)).send();
            let (one, other) =
                futures_util::future::join(send(format!("a\n{round}\n")), send(format!("b\n{round}\n"))).await;
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_ne!((&one.id, &one.url), (&other.id, &other.url));
        }
        assert_eq!(target.get().await.unwrap().resources.len(), 6);

        // The same content might be the result of the failed upload itself: it is not retried, and the error says so.
        let file = || target.upload(File::from_bytes(&name, "a\n1\n")).send();
        let outcomes = futures_util::future::join(file(), file()).await;
        if let (Ok(_), Err(error)) | (Err(error), Ok(_)) = outcomes {
            assert!(error.to_string().contains("stored in the same second"), "{error}");
        }
    });
}
