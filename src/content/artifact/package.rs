//! Content packages, as `FileVault` reads them.

use super::archive::Files;

/// How a content package is known to AEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentPackage {
    /// The group.
    pub group: String,
    /// The name in its group.
    pub name: String,
    /// The version.
    pub version: String,
    /// The coordinates of the packages that must be installed before it.
    pub depends_on: Vec<String>,
}

impl ContentPackage {
    /// `group:name:version`, by which other packages name it.
    #[must_use]
    pub fn coordinates(&self) -> String {
        format!("{}:{}:{}", self.group, self.name, self.version)
    }
}

/// Returns the files of the package with the code of a site.
pub(super) fn code(package: &ContentPackage, site: &str, commit: &str) -> Files {
    let root = format!("/apps/{site}");
    let component = node(
        "jcr:primaryType=\"cq:Component\" jcr:title=\"Page\" \
         sling:resourceSuperType=\"core/wcm/components/page/v3/page\" componentGroup=\".hidden\"",
    );
    let mut files = metadata(package, "application", &[&root]);
    files.extend([
        (format!("jcr_root{root}/.content.xml"), node("jcr:primaryType=\"sling:Folder\"")),
        (
            format!("jcr_root{root}/components/.content.xml"),
            node("jcr:primaryType=\"sling:Folder\""),
        ),
        (format!("jcr_root{root}/components/page/.content.xml"), component),
        (format!("jcr_root{root}/build.json"), build_record(package, commit)),
    ]);
    files
}

/// Returns the files of the package with the pages of a site.
pub(super) fn content(package: &ContentPackage, site: &str, commit: &str) -> Files {
    let (pages, assets) = (format!("/content/{site}"), format!("/content/dam/{site}"));
    let mut files = metadata(package, "content", &[&pages, &assets]);
    files.extend([
        (format!("jcr_root{pages}/.content.xml"), page(site, site)),
        (format!("jcr_root{pages}/en/.content.xml"), page(site, "English")),
        (format!("jcr_root{assets}/.content.xml"), node("jcr:primaryType=\"sling:Folder\"")),
        (format!("jcr_root{assets}/build.json"), build_record(package, commit)),
    ]);
    files
}

fn metadata(package: &ContentPackage, package_type: &str, roots: &[&str]) -> Files {
    let ContentPackage { group, name, version, depends_on } = package;
    let dependencies = depends_on.join(",");
    let filters: Vec<_> =
        roots.iter().map(|root| format!("    <filter root=\"{root}\"/>\n")).collect();
    let filters = filters.concat();
    let properties = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n\
         <!DOCTYPE properties SYSTEM \"http://java.sun.com/dtd/properties.dtd\">\n\
         <properties>\n\
         <comment>FileVault Package Properties</comment>\n\
         <entry key=\"packageType\">{package_type}</entry>\n\
         <entry key=\"packageFormatVersion\">2</entry>\n\
         <entry key=\"group\">{group}</entry>\n\
         <entry key=\"name\">{name}</entry>\n\
         <entry key=\"version\">{version}</entry>\n\
         <entry key=\"path\">/etc/packages/{group}/{name}-{version}.zip</entry>\n\
         <entry key=\"dependencies\">{dependencies}</entry>\n\
         <entry key=\"requiresRoot\">false</entry>\n\
         </properties>\n"
    );
    let filter = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <workspaceFilter version=\"1.0\">\n{filters}</workspaceFilter>\n"
    );
    let manifest: String = [
        ("Manifest-Version", "1.0"),
        ("Content-Package-Dependencies", &dependencies),
        ("Content-Package-Id", &package.coordinates()),
        ("Content-Package-Roots", &roots.join(",")),
        ("Content-Package-Type", package_type),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| manifest_line(name, value))
    .chain(["\r\n".to_owned()])
    .collect();
    Files::from([
        ("META-INF/MANIFEST.MF".to_owned(), manifest),
        ("META-INF/vault/filter.xml".to_owned(), filter),
        ("META-INF/vault/properties.xml".to_owned(), properties),
    ])
}

/// Returns a manifest's line; it goes on in the next one, after a space, where it has 72
/// characters.
fn manifest_line(name: &str, value: &str) -> String {
    let mut line = String::new();
    for (position, char) in format!("{name}: {value}").chars().enumerate() {
        if position >= 72 && (position - 72) % 71 == 0 {
            line.push_str("\r\n ");
        }
        line.push(char);
    }
    line + "\r\n"
}

fn node(attributes: &str) -> String {
    format!("{XML}<jcr:root {NAMESPACES} {attributes}/>\n")
}

fn page(site: &str, title: &str) -> String {
    format!(
        "{XML}<jcr:root {NAMESPACES} jcr:primaryType=\"cq:Page\">\n    \
         <jcr:content jcr:primaryType=\"cq:PageContent\" jcr:title=\"{title}\" \
         sling:resourceType=\"{site}/components/page\"/>\n\
         </jcr:root>\n"
    )
}

fn build_record(package: &ContentPackage, commit: &str) -> String {
    format!("{{\"commit\":\"{commit}\",\"version\":\"{}\"}}\n", package.version)
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const NAMESPACES: &str = "xmlns:cq=\"http://www.day.com/jcr/cq/1.0\" \
                          xmlns:jcr=\"http://www.jcp.org/jcr/1.0\" \
                          xmlns:sling=\"http://sling.apache.org/jcr/sling/1.0\"";
