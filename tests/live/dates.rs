//! Dates and times as the catalogue takes them, and as it sends them back.

use datagouv::main::types::ApiTokenInput;
use serde_json::{Value, json};

use crate::run;
use crate::support::{dataservice, dataset, organization};
use crate::things::reuse;

/// What is sent, and what comes back: without a zone it is a time of UTC.
const DATES: [(&str, &str); 5] = [
    ("2034-01-02T03:04:05", "2034-01-02T03:04:05+00:00"),
    ("2034-01-02T03:04:05.123", "2034-01-02T03:04:05.123000+00:00"),
    ("2034-01-02", "2034-01-02T00:00:00+00:00"),
    ("2034-01-02T03:04:05Z", "2034-01-02T03:04:05+00:00"),
    ("2034-01-02T03:04:05+02:00", "2034-01-02T01:04:05+00:00"),
];

#[test]
fn a_date_without_a_zone_is_of_utc_and_comes_back_with_one() {
    run(|live| async move {
        let client = live.user();
        let main = client.main();
        let (made, used, service) = (dataset(&client).await, reuse(&client).await, dataservice(&client).await);
        let owner = organization(&client).await;
        for (sent, kept) in DATES {
            let body = json!({"title": made.title, "description": "d", "frequency_date": sent, "archived": sent});
            main.update_dataset().dataset(&made.id).body(body).send().await.unwrap();
            main.update_reuse().reuse(&used.id).body(json!({"archived": sent})).send().await.unwrap();
            let body = json!({"archived_at": sent});
            main.update_dataservice().dataservice(&service.id).body(body).send().await.unwrap();
            let body = json!({"presentation_blocs_published_at": sent});
            main.update_organization().org(&owner.id).body(body).send().await.unwrap();

            let dataset = json!(main.get_dataset().dataset(&made.id).send().await.unwrap().into_inner());
            let reuse = json!(main.get_reuse().reuse(&used.id).send().await.unwrap().into_inner());
            let service = json!(main.get_dataservice().dataservice(&service.id).send().await.unwrap().into_inner());
            let owner = json!(main.get_organization().org(&owner.id).send().await.unwrap().into_inner());
            let read: [&Value; 5] = [
                &dataset["frequency_date"],
                &dataset["archived"],
                &reuse["archived"],
                &service["archived_at"],
                &owner["presentation_blocs_published_at"],
            ];
            assert!(read.iter().all(|read| *read == kept), "{sent}: {read:?}");
        }
    });
}

#[test]
fn of_a_time_in_a_temporal_coverage_the_date_is_kept() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        for sent in ["2019-03-01", "2019-03-01T10:00:00", "2019-03-01T10:00:00Z"] {
            let coverage = json!({"start": sent, "end": "2020-12-31"});
            let body = json!({"title": made.title, "description": "d", "temporal_coverage": coverage});
            let updated = client.main().update_dataset().dataset(&made.id).body(body).send().await.unwrap();
            assert_eq!(json!(updated.temporal_coverage), json!({"start": "2019-03-01", "end": "2020-12-31"}), "{sent}");
        }
    });
}

#[test]
fn keys_and_reports_take_dates_without_a_zone_too() {
    run(|live| async move {
        let (client, admin) = (live.plain(), live.admin());
        let subject = dataset(&live.user()).await.id;
        let body = json!({"subject": {"class": "Dataset", "id": subject}, "reason": "spam"});
        let report = client.main().create_report().body(body).send().await.unwrap();
        for (sent, kept) in DATES.into_iter().take(3) {
            let token = ApiTokenInput::new().expires_at(sent);
            let token = client.main().create_api_token().body(token).send().await.unwrap();
            assert_eq!(json!(token.expires_at), kept);
            client.main().revoke_api_token().api_token(&token.id).send().await.unwrap();
            let body = json!({"dismissed_at": sent});
            let dismissed = admin.main().update_report().report(&report.id).body(body).send().await.unwrap();
            assert_eq!(json!(dismissed.dismissed_at), kept);
        }
    });
}
