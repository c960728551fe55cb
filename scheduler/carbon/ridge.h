// Least squares with a ridge, from sums that old samples fade out of.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_CARBON_RIDGE_H_
#define CCSCHED_SCHEDULER_CARBON_RIDGE_H_

#include <array>
#include <cmath>

namespace ccsched {

// Minimises Σ weight (y − w·x)² + ridge Σ |w|² over w. N features.
template <int N>
class Ridge {
 public:
  using Vector = std::array<double, N>;

  // `growth` makes each sample count more than those before it, which is how
  // the old ones fade; Rescale() keeps the sums within range.
  void Add(const Vector& x, double y, double weight) {
    for (int i = 0; i < N; ++i) {
      const double wx = weight * x[i];
      for (int j = 0; j <= i; ++j) xx_[i][j] += wx * x[j];
      xy_[i] += wx * y;
    }
    weight_ += weight;
  }
  void Fade(double keep) {
    for (auto& row : xx_) {
      for (double& v : row) v *= keep;
    }
    for (double& v : xy_) v *= keep;
    weight_ *= keep;
  }
  double weight() const { return weight_; }

  // `ridge` is per unit of weight, so that it keeps its strength.
  void Solve(double ridge) {
    // Cholesky: A = L Lᵀ.
    std::array<Vector, N> l;
    const double added = ridge * (weight_ + 1);
    for (int i = 0; i < N; ++i) {
      for (int j = 0; j <= i; ++j) {
        double sum = xx_[i][j] + (i == j ? added : 0);
        for (int k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
        l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
      }
    }
    Vector z;
    for (int i = 0; i < N; ++i) {
      double sum = xy_[i];
      for (int k = 0; k < i; ++k) sum -= l[i][k] * z[k];
      z[i] = sum / l[i][i];
    }
    for (int i = N - 1; i >= 0; --i) {
      double sum = z[i];
      for (int k = i + 1; k < N; ++k) sum -= l[k][i] * w_[k];
      w_[i] = sum / l[i][i];
    }
  }
  double Predict(const Vector& x) const {
    double sum = 0;
    for (int i = 0; i < N; ++i) sum += w_[i] * x[i];
    return sum;
  }

 private:
  std::array<Vector, N> xx_ = {};  // lower triangle
  Vector xy_ = {};
  Vector w_ = {};
  double weight_ = 0;
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_CARBON_RIDGE_H_
