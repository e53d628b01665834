//! Modules of a crate, and the imports between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, File, ItemMod, ItemUse, Macro, Token, UseTree};

/// Path of names, from the root of a crate or as the code spells it.
type Names = Vec<String>;

/// Every module of a crate, by its path.
pub(crate) struct Modules(BTreeMap<Names, Module>);

#[derive(Default)]
struct Module {
    /// Names that the module imports, and what each stands for.
    aliases: BTreeMap<String, Names>,
    /// Paths that its code names, as they are spelled.
    paths: Vec<Names>,
    /// Those that only its tests name.
    test_paths: Vec<Names>,
}

impl Modules {
    /// Reads the modules of the crate whose `lib.rs` is in `src`.
    pub(crate) fn read(src: &Path) -> Self {
        let mut modules = Self(BTreeMap::new());
        let mut reader = Reader {
            modules: &mut modules,
            module: Vec::new(),
            dir: src.to_owned(),
            in_tests: false,
        };
        reader.read_file(&src.join("lib.rs"));
        modules
    }

    /// Modules that import each other, directly or by way of others of the same
    /// folder, as `folder/{one,other}`. Each module stands for all below it. A
    /// module and those below it may know each other, and tests may know all.
    pub(crate) fn cycles(&self) -> BTreeSet<String> {
        let mut folders: BTreeMap<Names, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (from, module) in &self.0 {
            for path in &module.paths {
                let Some(to) = self.resolve(from, path, 0) else {
                    continue;
                };
                let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
                    let folder = folders.entry(from[..shared].to_vec()).or_default();
                    let imports = folder.entry(one.clone()).or_default();
                    imports.insert(other.clone());
                }
            }
        }
        let in_folder = |(folder, imports): (&Names, &BTreeMap<_, _>)| {
            let prefix: String = folder.iter().map(|name| format!("{name}/")).collect();
            let named = move |cycle: Names| format!("{prefix}{{{}}}", cycle.join(","));
            circles(imports).into_iter().map(named).collect::<Vec<_>>()
        };
        folders.iter().flat_map(in_folder).collect()
    }

    /// Pairs of modules, the first of which imports the second, tests included.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&Names, Names)> {
        self.0.iter().flat_map(move |(from, module)| {
            let paths = module.paths.iter().chain(&module.test_paths);
            paths.filter_map(move |path| Some((from, self.resolve(from, path, 0)?)))
        })
    }

    /// The module that a path leads to, re-exports followed; none in other crates.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Names> {
        assert!(depth < 16, "{from:?} imports {path:?} in a circle");
        let mut at = from.to_vec();
        for (place, name) in path.iter().enumerate() {
            match name.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                name => {
                    at.push(name.to_owned());
                    if self.0.contains_key(&at) {
                        continue;
                    }
                    at.pop();
                    let Some(alias) = self.0[&at].aliases.get(name) else {
                        return (place > 0).then_some(at);
                    };
                    let mut whole = alias.clone();
                    whole.extend_from_slice(&path[place + 1..]);
                    return self.resolve(&at, &whole, depth + 1);
                }
            }
        }
        Some(at)
    }
}

/// Groups of names that can be reached from each other.
fn circles(imports: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<Names> {
    let reached = |start: &String| {
        let mut seen = BTreeSet::new();
        let mut next = vec![start];
        while let Some(name) = next.pop() {
            let known = imports.get(name).into_iter().flatten();
            next.extend(known.filter(|known| seen.insert(known.to_string())));
        }
        seen
    };
    let reached: BTreeMap<_, _> = imports.keys().map(|name| (name, reached(name))).collect();
    let circle = |(name, from): (&&String, &BTreeSet<String>)| {
        let back = |other: &&String| reached.get(other).is_some_and(|back| back.contains(*name));
        from.iter().filter(back).cloned().collect::<Names>()
    };
    let circles = reached.iter().map(circle);
    circles.filter(|circle| circle.len() > 1).collect()
}

/// Reads a file, and those of the modules that it declares.
struct Reader<'a> {
    modules: &'a mut Modules,
    module: Names,
    /// Where the files of modules below this one are.
    dir: PathBuf,
    in_tests: bool,
}

impl Reader<'_> {
    fn read_file(&mut self, path: &Path) {
        let text = fs::read_to_string(path).unwrap();
        let file: File = syn::parse_file(&text).unwrap();
        self.modules.0.entry(self.module.clone()).or_default();
        self.visit_file(&file);
    }

    fn add(&mut self, path: Names) {
        let module = self.modules.0.get_mut(&self.module).unwrap();
        match self.in_tests {
            true => module.test_paths.push(path),
            false => module.paths.push(path),
        }
    }

    /// Adds what a `use` imports.
    fn import(&mut self, tree: &UseTree, mut path: Names) {
        let (name, alias) = match tree {
            UseTree::Path(next) => {
                path.push(next.ident.to_string());
                return self.import(&next.tree, path);
            }
            UseTree::Group(group) => {
                return group
                    .items
                    .iter()
                    .for_each(|tree| self.import(tree, path.clone()));
            }
            UseTree::Glob(_) => return self.add(path),
            UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(name) => (name.ident.to_string(), name.rename.to_string()),
        };
        let alias = match name.as_str() {
            "self" if alias == "self" => path.last().unwrap().clone(),
            _ => alias,
        };
        path.push(name);
        if !self.in_tests && path.first() != Some(&alias) {
            let module = self.modules.0.get_mut(&self.module).unwrap();
            module.aliases.insert(alias, path.clone());
        }
        self.add(path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let outside = (self.in_tests, self.dir.clone());
        self.in_tests |= item.attrs.iter().any(is_for_tests);
        let name = item.ident.to_string();
        let file = self.dir.join(format!("{name}.rs"));
        self.dir.push(&name);
        self.module.push(name);
        match &item.content {
            Some(_) => {
                self.modules.0.entry(self.module.clone()).or_default();
                visit::visit_item_mod(self, item);
            }
            None if file.exists() => self.read_file(&file),
            None => self.read_file(&self.dir.join("mod.rs")),
        }
        self.module.pop();
        (self.in_tests, self.dir) = outside;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|name| name.ident.to_string());
        let names: Names = names.collect();
        if ["crate", "self", "super"].contains(&names[0].as_str()) && names.len() > 1 {
            self.add(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        let given = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(given) = called.parse_body_with(given) {
            given.iter().for_each(|expr| self.visit_expr(expr));
        }
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let condition = attribute.meta.require_list();
    attribute.path().is_ident("cfg")
        && condition.is_ok_and(|list| list.tokens.to_string() == "test")
}
